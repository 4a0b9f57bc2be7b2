#!/usr/bin/env bash
# What gitea is for: commits go up with git over HTTPS, and another clone has the same ones.
set -euo pipefail
# shellcheck source=../lib/gitea.sh
. "$(dirname "$0")/../lib/gitea.sh"
# shellcheck disable=SC2154 # values of 10-people.sh
token=$alice_token name=$alice owner=$club

repository="code-$(random_hex 5)"
ask POST "/api/v1/orgs/$owner/repos" --data "{\"name\":\"$repository\",\"private\":true,\"default_branch\":\"main\"}" > /dev/null
remember repository "$repository"
address=$CCCI_URL/$owner/$repository.git
here=$CCCI_WORK/push-$repository

new_clone "$here" "$name"
cd "$here"
printf '# %s\n\nWritten in run %s.\n' "$repository" "$CCCI_RUN" > README.md
head -c 200000 /dev/urandom > picture.bin
git add . && git commit --quiet --message "First commit of $repository"
mkdir src && printf 'fn main() {}\n' > src/main.rs
git add . && git commit --quiet --message 'A program'
git tag -a v1 -m 'The first one'
git push --quiet "$address" main v1
wanted=$(git rev-parse HEAD)
remember commit "$wanted"

# The server's own view, then a clone of somebody who was not here.
wait_for_commit "$owner/$repository" "$wanted"
new_clone "$here.again" "$name"
cd "$here.again"
git fetch --quiet "$address" main --tags
git checkout --quiet FETCH_HEAD
[ "$(git rev-parse HEAD)" = "$wanted" ] || { echo "the clone has $(git rev-parse HEAD) and not $wanted" >&2; exit 1; }
[ "$(git rev-list --count HEAD)" = 2 ] || { echo "the clone has $(git rev-list --count HEAD) commits and not 2" >&2; exit 1; }
cmp picture.bin "$here/picture.bin"
git fsck --strict --no-dangling > /dev/null
[ "$(git rev-parse 'v1^{commit}')" = "$wanted" ] || { echo "the tag v1 names another commit" >&2; exit 1; }

# It is private: a stranger's git is asked who it is.
token=$(random_hex 20)
new_clone "$here.stranger" "$name"
if said=$(git -C "$here.stranger" fetch --quiet "$address" main 2>&1); then
  echo "a made-up token fetches the private $owner/$repository" >&2
  exit 1
fi
grep -qiE 'could not read Username|authentication failed|not found' <<< "$said" || { echo "a made-up token is refused with: $said" >&2; exit 1; }
rm -rf "$here" "$here.again" "$here.stranger"
echo "2 commits, a tag and 200000 bytes went to $owner/$repository and came back the same"
