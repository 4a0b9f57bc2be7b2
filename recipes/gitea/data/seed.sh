#!/usr/bin/env bash
# A person with a token, a private repository with commits, an issue, an attachment and a package: rows of
# the database, and bytes in four folders.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
mark=$(random_hex 6)
name=seed-$mark repo=seed-$mark/kept-$mark issues=/api/v1/repos/$repo/issues

add_user "$name" --admin
ask POST /api/v1/user/repos --data "{\"name\":\"kept-$mark\",\"private\":true,\"default_branch\":\"main\"}" > /dev/null
clone_as "$name"
echo "text $mark" > note.txt
head -c 100000 /dev/urandom > picture.bin
save "Commit $mark"
ask POST "$issues" --data "{\"title\":\"Issue $mark\"}" > /dev/null
headers=() # The form sets its own type.
attachment=$(ask POST "$issues/1/assets" --form "attachment=@note.txt;filename=note-$mark.txt;type=text/plain" | text_of uuid)
ask PUT "/api/packages/$name/generic/kept/$mark/picture.bin" --upload-file picture.bin > /dev/null
remember_all seed_mark="$mark" seed_name="$name" seed_token="$token" seed_commit="$commit" \
  seed_attachment="$attachment" seed_sha256="$(sha256sum < picture.bin | cut -d' ' -f1)"
echo "made $repo with a commit, an issue, an attachment and a package"
