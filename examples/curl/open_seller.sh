#!/bin/sh
# Opens a seller who pays 5 % commission.   usage: QUITTANCE_URL=… QUITTANCE_KEY=… sh open_seller.sh anna
# A seller who is there already answers 409 seller_exists.
set -eu
curl -sS "$QUITTANCE_URL/v1/sellers" \
  -H "Authorization: Bearer $QUITTANCE_KEY" -H "Content-Type: application/json" \
  -d '{"seller_account": "'"$1"'", "name": "'"$1"'", "country": "DE", "commission_bps": 500}'
echo
