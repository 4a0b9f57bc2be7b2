#!/usr/bin/env bash
# The registry of packages: a file goes up under a version, comes down byte for byte, and is not replaced.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$alice_token version=1.$((16#$(random_hex 3))).0
path=/api/packages/$club/generic/tool/$version/tool.bin

work_in_new_folder
head -c 300000 /dev/urandom > sent
ask PUT "$path" --upload-file sent > /dev/null
cmp <(ask GET "$path") sent || fail "tool $version came down as another file"
holds "the list of packages" "$(ask GET "/api/v1/packages/$club?type=generic&q=tool")" "\"version\":\"$version\""
# A version that is out stays what it is.
refused "another tool $version" 409 ask PUT "$path" --data-binary other
cmp <(ask GET "$path") sent || fail "tool $version changed after a refusal"
echo "tool $version of 300000 bytes came back the same, and cannot be replaced"
