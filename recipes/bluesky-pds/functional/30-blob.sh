#!/usr/bin/env bash
# A picture is the world's as soon as something published shows it, and not before; it comes back as it was.
set -euo pipefail
# shellcheck source=../lib/pds.sh
. "$(dirname "$0")/../lib/pds.sh"

token=$alice_token
file=$(mktemp "$CCCI_WORK/blob.XXXXXX")
trap 'rm -f "$file" "$file.back"' EXIT
upload "$file"
where="com.atproto.sync.getBlob?did=$alice_did&cid=$blob"
if said=$(ask GET "$where" --output "$file.back"); then
  echo "the blob $blob is public before anything shows it: $said" >&2
  exit 1
fi
show "$alice_did" "A picture"
ask GET "$where" --output "$file.back"
cmp "$file" "$file.back"
echo "the blob $blob of 3000 bytes came back as it was, once a post showed it"
