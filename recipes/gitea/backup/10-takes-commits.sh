#!/usr/bin/env bash
# A restored gitea is a working one: the next commit goes on top of the restored one.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$seed_token name=$seed_name wanted=$seed_commit address=$CCCI_URL/$seed_name/kept-$seed_mark.git

here=$(mktemp -d -p "$CCCI_WORK")
new_clone "$here" "$name"
cd "$here"
git fetch --quiet "$address" main
git checkout --quiet -b main FETCH_HEAD
git fsck --strict --no-dangling > /dev/null
git merge-base --is-ancestor "$wanted" HEAD || fail "the restored main does not have the commit $wanted"
printf 'after the restore of run %s\n' "$CCCI_RUN" > "after-$(random_hex 4).txt"
git add . && git commit --quiet --message 'After the restore'
git push --quiet "$address" main
new=$(git rev-parse HEAD)
wait_for_commit "$name/kept-$seed_mark" "$new"
rm -rf "$here"
echo "commit $new goes on top of the restored $wanted"
