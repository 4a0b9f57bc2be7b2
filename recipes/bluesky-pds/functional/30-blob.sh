#!/usr/bin/env bash
# A picture is the world's as soon as something published shows it, and not before; it comes back as it was.
set -euo pipefail
. "$(dirname "$0")/../lib/pds.sh"

token=$alice_token
file=$(mktemp "$CCCI_WORK/blob.XXXXXX")
trap 'rm -f "$file" "$file.back"' EXIT
upload "$file"
where="com.atproto.sync.getBlob?did=$alice_did&cid=$blob"
refused "the blob $blob, before anything shows it," 'error: 4' ask GET "$where" --output "$file.back"
show "$alice_did" "A picture"
ask GET "$where" --output "$file.back"
cmp "$file" "$file.back"
echo "the blob $blob of 3000 bytes came back as it was, once a post showed it"
