#!/usr/bin/env bash
# The profile, which only the database knows; the message, read with the token that seeding was given; the file, byte for
# byte; and the signing key: a server that comes back with another one has lost its identity.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

holds "the profile" "$(call GET "/_matrix/client/v3/profile/$seed_user_path")" "\"displayname\":\"Seeded $seed_mark\""
room=$seed_room event=$seed_event
holds "the message" "$(event_by "$seed_token")" "\"body\":\"message $seed_mark\""
sum=$(request "$seed_token" GET "/_matrix/client/v1/media/download/$seed_media" | sha256sum)
[ "${sum%% *}" = "$seed_media_sha256" ] || fail "the file is another one"
holds "the server's key" "$(call GET /_matrix/key/v2/server)" "\"server_name\":\"$CCCI_DOMAIN\"" "$seed_signing_key"
echo "the profile, the message, the file and the key are as they were"
