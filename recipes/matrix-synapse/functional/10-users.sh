#!/usr/bin/env bash
# Two users, for the files that follow.
set -euo pipefail
# shellcheck source=../lib/matrix.sh
. "$(dirname "$0")/../lib/matrix.sh"

mark=$(random_hex 6)
for name in alice bob; do
  add_user "$name-$mark"
  remember "$name" "$name-$mark"
  remember "${name}_password" "$password"
done
remember mark "$mark"
echo "alice-$mark and bob-$mark are registered"
