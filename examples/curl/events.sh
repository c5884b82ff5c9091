#!/bin/sh
# Reads the feed of events to its end, page by page, from the beginning or from where it was read to.
#   usage: … sh events.sh [next_cursor of the last page, or the id of an event]
set -eu
after=${1:-}
while :; do
  page=$(curl -sS --fail-with-body -G "$QUITTANCE_URL/v1/events" -H "Authorization: Bearer $QUITTANCE_KEY" \
    --data-urlencode "limit=100" ${after:+--data-urlencode "after=$after"})
  printf '%s\n' "$page"
  after=$(printf '%s' "$page" | sed -n 's/.*"next_cursor":"\([^"]*\)".*/\1/p')
  case $page in *'"has_more":true'*) ;; *) break ;; esac
done
