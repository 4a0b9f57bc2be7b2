#!/usr/bin/env bash
# A restored gitea is a working one: the next commit goes on top of the restored one.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$seed_token repo=$seed_name/kept-$seed_mark

here=$(mktemp -d -p "$CCCI_WORK")
new_clone "$here" "$seed_name"
cd "$here"
git fetch --quiet "$CCCI_URL/$repo.git" main
git checkout --quiet -b main FETCH_HEAD
git fsck --strict --no-dangling > /dev/null
git merge-base --is-ancestor "$seed_commit" HEAD || fail "the restored main does not have the commit $seed_commit"
printf 'after the restore of run %s\n' "$CCCI_RUN" > "after-$(random_hex 4).txt"
save "$here" 'After the restore' "$repo"
rm -rf "$here"
echo "commit $commit goes on top of the restored $seed_commit"
