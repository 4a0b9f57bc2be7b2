#!/usr/bin/env bash
# Two users, for the files that follow. Everybody sees the name that each begins with, which is their own.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

mark=$(random_hex 6)
for name in alice bob; do
  add_user "$name-$mark"
  shown=$(call GET "/_matrix/client/v3/profile/$(in_path "@$name-$mark:$CCCI_DOMAIN")" | text_of displayname)
  [ "$shown" = "$name-$mark" ] || fail "$name-$mark is registered, and the profile's name is '$shown'"
  remember "$name" "$name-$mark"
  remember "${name}_password" "$password"
done
remember mark "$mark"
echo "alice-$mark and bob-$mark are registered"
