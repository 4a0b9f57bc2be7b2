#!/usr/bin/env bash
# A user with a name, a room with a message, a file: rows in the database and bytes on the disk.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

mark=$(random_hex 6)
user="seed-$mark"
add_user "$user"
token=$(login "$user" "$password")
id="@$user:$CCCI_DOMAIN"
request "$token" PUT "/_matrix/client/v3/profile/$(in_path "$id")/displayname" \
  --data "{\"displayname\":\"Seeded $mark\"}" > /dev/null
new_room "$token" "{\"name\":\"Room $mark\",\"preset\":\"private_chat\"}"
write "$token" "{\"msgtype\":\"m.text\",\"body\":\"message $mark\"}"
head -c 50000 /dev/urandom > "$CCCI_WORK/upload.bin"

remember seed_mark "$mark"
remember seed_token "$token"
remember seed_user_path "$(in_path "$id")"
remember seed_event "$event"
remember seed_room "$room"
remember seed_media "$(upload "$token" "$mark.bin" application/octet-stream < "$CCCI_WORK/upload.bin")"
remember seed_media_sha256 "$(sha256sum < "$CCCI_WORK/upload.bin" | cut -d' ' -f1)"
remember seed_signing_key "$(call GET /_matrix/key/v2/server | text_of key)"
echo "made $id with a message in $room and a file of 50000 bytes"
