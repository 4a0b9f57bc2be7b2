#!/usr/bin/env bash
# What gitea is for: commits go up with git over HTTPS, and another clone has the same ones.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$alice_token name=$alice owner=$club

repository="code-$(random_hex 5)"
ask POST "/api/v1/orgs/$owner/repos" --data "{\"name\":\"$repository\",\"private\":true,\"default_branch\":\"main\"}" > /dev/null
address=$CCCI_URL/$owner/$repository.git here=$CCCI_WORK/push-$repository
new_clone "$here" "$name"
cd "$here"
printf '# %s\n\nWritten in run %s.\n' "$repository" "$CCCI_RUN" > README.md
head -c 200000 /dev/urandom > picture.bin
git add . && git commit --quiet --message "First commit of $repository"
mkdir src && printf 'fn main() {}\n' > src/main.rs
save "$here" 'A program' "$owner/$repository"
git tag -a v1 -m 'The first one'
git push --quiet "$address" v1
remember repository "$repository"
remember commit "$commit"

new_clone "$here.again" "$name"
cd "$here.again"
git fetch --quiet "$address" main --tags
git checkout --quiet FETCH_HEAD
[ "$(git rev-parse HEAD)" = "$commit" ] || fail "the clone has $(git rev-parse HEAD) and not $commit"
[ "$(git rev-list --count HEAD)" = 2 ] || fail "the clone has $(git rev-list --count HEAD) commits and not 2"
cmp picture.bin "$here/picture.bin"
git fsck --strict --no-dangling > /dev/null
[ "$(git rev-parse 'v1^{commit}')" = "$commit" ] || fail "the tag v1 names another commit"

# It is private: a stranger's git is asked who it is.
token=$(random_hex 20)
new_clone "$here.stranger" "$name"
refused "a made-up token for the private $owner/$repository" 'could not read Username|authentication failed|not found' \
  git -C "$here.stranger" fetch --quiet "$address" main
rm -rf "$here" "$here.again" "$here.stranger"
echo "2 commits, a tag and 200000 bytes went to $owner/$repository and came back the same"
