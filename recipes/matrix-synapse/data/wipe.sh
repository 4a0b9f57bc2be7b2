#!/usr/bin/env bash
# Users, events and files go where they are kept, under the running server: what a lost disk does.
set -euo pipefail
. "$CCCI_SH"

sql "${CCCI_DATABASE:?the app has no database of its own}" "TRUNCATE users, profiles, access_tokens, events, event_json, local_media_repository CASCADE"
"$CCCI_EXEC" app -- sh -c \
  'dir=$(sed -n "s/^media_store_path: *\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "${SYNAPSE_CONFIG_PATH:-/data/homeserver.yaml}"); rm -rf "${dir:?}"/*'
echo "users, events and files are gone"
