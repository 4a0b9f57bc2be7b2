#!/usr/bin/env bash
# A restored server is a working one: the seeded user can still write into the seeded room.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

room=$seed_room
write "$seed_token" "{\"msgtype\":\"m.text\",\"body\":\"after restore $seed_mark\"}"
holds "the new message" "$(event_by "$seed_token")" "\"body\":\"after restore $seed_mark\""
event=$seed_event
holds "the old message" "$(event_by "$seed_token")" "\"body\":\"message $seed_mark\""
echo "the restored room has its message, and takes another"
