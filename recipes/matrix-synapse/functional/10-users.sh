#!/usr/bin/env bash
# Two users, for the files that follow.
set -euo pipefail
# shellcheck source=../lib/matrix.sh
. "$(dirname "$0")/../lib/matrix.sh"

mark=$(random_hex 6)
for name in alice bob; do
  password=$(random_hex 16)
  add_user "$name-$mark" "$password" > "$CCCI_WORK/$name.log" || { cat "$CCCI_WORK/$name.log" >&2; exit 1; }
  remember "$name" "$name-$mark"
  remember "${name}_password" "$password"
done
remember mark "$mark"
echo "alice-$mark and bob-$mark are registered"
