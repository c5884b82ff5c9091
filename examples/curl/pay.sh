#!/bin/sh
# Pays two sellers with a test card and waits for the end.   usage: QUITTANCE_URL=… QUITTANCE_KEY=… sh pay.sh
# The sellers are there already: open_seller.sh. Sent again with the same ORDER, it pays nothing twice.
set -eu
ORDER=${ORDER:-order-$(date +%s)-$$}
AUTH="Authorization: Bearer $QUITTANCE_KEY"

curl -sS --fail-with-body "$QUITTANCE_URL/v1/payments" \
  -H "$AUTH" -H "Idempotency-Key: $ORDER" -H "Content-Type: application/json" \
  -d '{"checkout_id": "'"$ORDER"'", "credit_card_info": {"token": "pm_card_visa"}, "metadata": {"cart": "7"},
       "payment_orders": [
         {"payment_order_id": "'"$ORDER"'-1", "seller_account": "anna", "amount": "40.00", "currency": "EUR"},
         {"payment_order_id": "'"$ORDER"'-2", "seller_account": "bert", "amount": "2.50", "currency": "EUR"}]}'
echo

# Still better: wait for webhooks, and look only when none comes.
until curl -sS --fail-with-body "$QUITTANCE_URL/v1/checkouts/$ORDER" -H "$AUTH" | grep '"is_final":true'; do
  sleep 0.5
done
