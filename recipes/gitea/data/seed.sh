#!/usr/bin/env bash
# A person with a token, a private repository with commits, an issue, an attachment and a package: rows of
# the database, and bytes in four folders.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"

mark=$(random_hex 6)
name=seed-$mark repo=seed-$mark/kept-$mark
add_user "$name" --admin
ask POST /api/v1/user/repos --data "{\"name\":\"kept-$mark\",\"private\":true,\"default_branch\":\"main\"}" > /dev/null
here=$(mktemp -d -p "$CCCI_WORK")
new_clone "$here" "$name"
printf 'text %s\n' "$mark" > "$here/note.txt"
head -c 100000 /dev/urandom > "$here/picture.bin"
save "$here" "Commit $mark" "$repo"
ask POST "/api/v1/repos/$repo/issues" --data "{\"title\":\"Issue $mark\"}" > /dev/null
headers=() # The form sets its own type.
attachment=$(ask POST "/api/v1/repos/$repo/issues/1/assets" \
  --form "attachment=@$here/note.txt;filename=note-$mark.txt;type=text/plain" | text_of uuid)
ask PUT "/api/packages/$name/generic/kept/$mark/picture.bin" --upload-file "$here/picture.bin" > /dev/null

remember seed_mark "$mark"
remember seed_name "$name"
remember seed_token "$token"
remember seed_commit "$commit"
remember seed_attachment "$attachment"
remember seed_sha256 "$(sha256sum < "$here/picture.bin" | cut -d' ' -f1)"
rm -rf "$here"
echo "made $repo with a commit, an issue, an attachment and a package"
