#!/bin/sh
# Has a URL told of payments, with the secret that verifies what it is told in the answer.
#   usage: … sh webhooks.sh https://shop.example/hooks
# With an endpoint's id: what was sent there; and with `rotate` or `remove` behind it, that.
#   usage: … sh webhooks.sh whe_… [rotate|remove]
# A rotation has a key, so that sent again it is the same one: one a day, or one for each ROTATION that you name.
set -eu
ask() {
  path=$1
  shift
  curl -sS --fail-with-body "$QUITTANCE_URL/v1/webhook_endpoints$path" -H "Authorization: Bearer $QUITTANCE_KEY" \
    -H "Content-Type: application/json" "$@"
  echo
}
case "$1 ${2:-}" in
  "whe_"*" rotate")
    ask "/$1/secret_rotations" -H "Idempotency-Key: rotate-$1-${ROTATION:-$(date -u +%F)}" \
      -d '{"overlap_seconds": 86400}'
    ;;
  "whe_"*" remove") ask "/$1" -X DELETE ;;
  "whe_"*) ask "/$1/deliveries?limit=5" ;;
  *) ask "" -d '{"url": "'"$1"'", "event_types": ["payment.succeeded", "payment.failed"]}' ;;
esac
