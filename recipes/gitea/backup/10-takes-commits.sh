#!/usr/bin/env bash
# A restored gitea is a working one: the next commit goes on top of the restored one.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$seed_token repo=$seed_name/kept-$seed_mark

clone_as "$seed_name"
git fsck --strict --no-dangling > /dev/null
git merge-base --is-ancestor "$seed_commit" HEAD || fail "the restored main does not have the commit $seed_commit"
echo "after the restore of run $CCCI_RUN" > "after-$(random_hex 4).txt"
save 'After the restore'
echo "commit $commit goes on top of the restored $seed_commit"
