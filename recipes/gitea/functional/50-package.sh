#!/usr/bin/env bash
# The registry of packages: a file goes up under a version, comes down byte for byte, and is not replaced.
set -euo pipefail
# shellcheck source=../lib/gitea.sh
. "$(dirname "$0")/../lib/gitea.sh"
# shellcheck disable=SC2154 # values of 10-people.sh
token=$alice_token owner=$club

here=$(mktemp -d -p "$CCCI_WORK")
version=1.$((16#$(random_hex 3))).0
path=/api/packages/$owner/generic/tool/$version/tool.bin
head -c 300000 /dev/urandom > "$here/sent"
ask PUT "$path" --upload-file "$here/sent" > /dev/null
ask GET "$path" --output "$here/got"
cmp "$here/sent" "$here/got"
listed=$(ask GET "/api/v1/packages/$owner?type=generic&q=tool")
grep -qF "\"version\":\"$version\"" <<< "$listed" || { echo "the list has no tool $version: ${listed:0:400}" >&2; exit 1; }
# A version that is out stays what it is.
head -c 10 /dev/urandom > "$here/other"
if said=$(ask PUT "$path" --upload-file "$here/other"); then
  echo "tool $version was replaced" >&2
  exit 1
fi
ask GET "$path" --output "$here/again"
cmp "$here/sent" "$here/again" || { echo "tool $version changed after a refusal: $said" >&2; exit 1; }
rm -rf "$here"
echo "tool $version of 300000 bytes came back the same, and cannot be replaced"
