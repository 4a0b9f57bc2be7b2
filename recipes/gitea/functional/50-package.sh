#!/usr/bin/env bash
# The registry of packages: a file goes up under a version, comes down byte for byte, and is not replaced.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$alice_token owner=$club

here=$(mktemp -d -p "$CCCI_WORK")
version=1.$((16#$(random_hex 3))).0
path=/api/packages/$owner/generic/tool/$version/tool.bin
head -c 300000 /dev/urandom > "$here/sent"
ask PUT "$path" --upload-file "$here/sent" > /dev/null
ask GET "$path" --output "$here/got"
cmp "$here/sent" "$here/got"
holds "the list of packages" "$(ask GET "/api/v1/packages/$owner?type=generic&q=tool")" "\"version\":\"$version\""
# A version that is out stays what it is.
head -c 10 /dev/urandom > "$here/other"
refused "another tool $version" 409 ask PUT "$path" --upload-file "$here/other"
ask GET "$path" --output "$here/again"
cmp "$here/sent" "$here/again" || fail "tool $version changed after a refusal"
rm -rf "$here"
echo "tool $version of 300000 bytes came back the same, and cannot be replaced"
