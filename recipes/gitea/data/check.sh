#!/usr/bin/env bash
# The person with the token; the repository, which is a row that names the commit, and files that hold it; the issue;
# and what stands in folders of its own, the attachment and the package.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$seed_token repo=$seed_name/kept-$seed_mark here=/api/v1/repos/$repo

holds "the person" "$(ask GET /api/v1/user)" "\"login\":\"$seed_name\"" '"is_admin":true'
has_commit "$seed_commit" main
holds "the issue" "$(ask GET "$here/issues/1")" "\"title\":\"Issue $seed_mark\"" "\"name\":\"note-$seed_mark.txt\""
for path in "$here/raw/note.txt" "/attachments/$seed_attachment"; do
  cmp <(ask GET "$path") <(echo "text $seed_mark") || fail "$path is not the note"
done
for path in "$here/raw/picture.bin" "/api/packages/$seed_name/generic/kept/$seed_mark/picture.bin"; do
  [ "$(ask GET "$path" | sha256sum)" = "$seed_sha256  -" ] || fail "$path is not the picture"
done
echo "$seed_name has the commit $seed_commit, the issue, the attachment and the package"
