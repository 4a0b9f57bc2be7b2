#!/usr/bin/env bash
# Two users log in; one makes a room and writes, the other joins and reads.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

alice_token=$(login "$alice" "$alice_password")
bob_token=$(login "$bob" "$bob_password")
new_room "$alice_token" "{\"name\":\"Room $mark\",\"preset\":\"private_chat\",\"invite\":[\"@$bob:$CCCI_DOMAIN\"]}"
denied "a look into the room before joining it" 403 M_FORBIDDEN request "$bob_token" GET "$room/joined_members"
request "$bob_token" POST "$room/join" --data '{}' > /dev/null
write "$alice_token" "{\"msgtype\":\"m.text\",\"body\":\"hello from run $CCCI_RUN\"}"
holds "what the other reads" "$(event_by "$bob_token")" "\"body\":\"hello from run $CCCI_RUN\"" "\"sender\":\"@$alice:$CCCI_DOMAIN\""
denied "a stranger's token" 401 M_UNKNOWN_TOKEN request no-such-token GET "$room/messages?dir=b&limit=10"
remember keep_alice_token "$alice_token"
remember keep_bob_token "$bob_token"
echo "$bob reads what $alice writes"
