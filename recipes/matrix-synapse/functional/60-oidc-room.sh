#!/usr/bin/env bash
# The two who logged in by the provider talk: one makes a room and writes, the other joins, reads and answers with a file
# of every byte there is, which comes down as it went up.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

new_room "$sso_alice_token" "{\"name\":\"Room of $(random_hex 6)\",\"preset\":\"public_chat\"}"
hello="{\"msgtype\":\"m.text\",\"body\":\"hello from run $CCCI_RUN\"}"
denied "a message of one who is not in the room" 403 M_FORBIDDEN write "$sso_bob_token" "$hello"
request "$sso_bob_token" POST "$room/join" --data '{}' > /dev/null
write "$sso_alice_token" "$hello"
holds "what the other reads" "$(event_by "$sso_bob_token")" "\"body\":\"hello from run $CCCI_RUN\"" "\"sender\":\"$sso_alice\""

file=$(mktemp "$CCCI_WORK/bytes.XXXXXX")
trap 'rm -f "$file" "$file.down"' EXIT
for ((byte = 0; byte < 256; byte++)); do printf '%b' "\\0$(printf %o "$byte")"; done > "$file"
media=$(upload "$sso_bob_token" bytes.bin application/octet-stream < "$file")
write "$sso_bob_token" "{\"msgtype\":\"m.file\",\"body\":\"bytes.bin\",\"url\":\"mxc://$media\"}"
# She has the file from what she reads in the room, and from nowhere else.
read=$(event_by "$sso_alice_token")
holds "what she reads" "$read" "\"sender\":\"$sso_bob\""
media=$(text_of url <<< "$read")
request "$sso_alice_token" GET "/_matrix/client/v1/media/download/${media#mxc://}" --output "$file.down"
sha256sum --quiet --check <<< "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880  $file.down"
echo "$sso_alice and $sso_bob talk, and a file comes down as it went up"
