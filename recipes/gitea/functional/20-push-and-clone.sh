#!/usr/bin/env bash
# What gitea is for: commits go up with git over HTTPS, and another clone has the same ones.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
repository=code-$(random_hex 5)
token=$alice_token repo=$club/$repository

ask POST "/api/v1/orgs/$club/repos" --data "{\"name\":\"$repository\",\"private\":true,\"default_branch\":\"main\"}" > /dev/null
clone_as "$alice"
printf '# %s\n\nWritten in run %s.\n' "$repository" "$CCCI_RUN" > README.md
head -c 200000 /dev/urandom > picture.bin
git add . && git commit --quiet --message "First commit of $repository"
mkdir src && echo 'fn main() {}' > src/main.rs
save 'A program'
git tag -a v1 -m 'The first one'
git push --quiet origin v1
remember_all repository="$repository" commit="$commit"

git clone --quiet "$CCCI_URL/$repo.git" again
cd again
[ "$(git rev-parse HEAD)" = "$commit" ] || fail "the clone has $(git rev-parse HEAD) and not $commit"
[ "$(git rev-list --count HEAD)" = 2 ] || fail "the clone has $(git rev-list --count HEAD) commits and not 2"
[ "$(git rev-parse 'v1^{commit}')" = "$commit" ] || fail "the tag v1 names another commit"
cmp picture.bin ../picture.bin
git fsck --strict --no-dangling > /dev/null

# It is private: a stranger's git is asked who it is.
git_as "$alice" "$(random_hex 20)"
refused "a made-up token for the private $repo" 'could not read Username|authentication failed|not found' \
  git clone --quiet "$CCCI_URL/$repo.git" stranger
echo "2 commits, a tag and 200000 bytes went to $repo and came back the same"
