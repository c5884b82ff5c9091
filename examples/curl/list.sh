#!/bin/sh
# Reads: what buyers can pay with, the newest orders, one seller's wallets.   usage: … sh list.sh anna
set -eu
get() {
  address=$QUITTANCE_URL$1
  shift
  curl -sS --fail-with-body -G "$address" -H "Authorization: Bearer $QUITTANCE_KEY" "$@"
  echo
}
get /v1/payment_methods --data-urlencode "currency=EUR" --data-urlencode "amount=42.50"
get /v1/payments --data-urlencode "seller_account=$1" --data-urlencode "limit=5"
get "/v1/sellers/$1/wallets"
