#!/usr/bin/env bash
# Whoever signed in through the provider works with git: pushes to the new repository, clones it, and reports
# an issue.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"

person=$sso_person repository=$sso_repository
give_token "$person"
holds "the token's owner" "$(ask GET /api/v1/user)" "\"login\":\"$person\""

work=$CCCI_WORK/signed-in
new_clone "$work" "$person"
mark=$(random_hex 8)
echo "$mark" > "$work/mark.txt"
git -C "$work" add mark.txt
git -C "$work" commit --quiet --message 'Leave a mark'
git -C "$work" push --quiet "$CCCI_URL/$person/$repository.git" main
wait_for_commit "$person/$repository" "$(git -C "$work" rev-parse HEAD)"

new_clone "$work-again" "$person"
git -C "$work-again" pull --quiet "$CCCI_URL/$person/$repository.git" main
got=$(cat "$work-again/mark.txt")
[ "$got" = "$mark" ] || fail "$mark was pushed and $got was cloned"

ask POST "/api/v1/repos/$person/$repository/issues" --data "{\"title\":\"Found $mark\"}" > /dev/null
holds "the list of issues" "$(ask GET "/api/v1/repos/$person/$repository/issues")" "\"title\":\"Found $mark\""
echo "$person, known by the provider alone, pushed $mark, cloned it, and reported an issue"
