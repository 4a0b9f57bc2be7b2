#!/usr/bin/env bash
# Whoever signed in through the provider works with git: pushes to the new repository, clones it, and reports an issue.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"

give_token "$sso_person"
holds "the token's owner" "$(ask GET /api/v1/user)" "\"login\":\"$sso_person\""
mark=$(random_hex 8) work=$CCCI_WORK/signed-in repo=$sso_person/$sso_repository
new_clone "$work" "$sso_person"
echo "$mark" > "$work/mark.txt"
save "$work" 'Leave a mark' "$repo"
new_clone "$work-again" "$sso_person"
git -C "$work-again" pull --quiet "$CCCI_URL/$repo.git" main
got=$(cat "$work-again/mark.txt")
[ "$got" = "$mark" ] || fail "$mark was pushed and $got was cloned"

ask POST "/api/v1/repos/$repo/issues" --data "{\"title\":\"Found $mark\"}" > /dev/null
holds "the list of issues" "$(ask GET "/api/v1/repos/$repo/issues")" "\"title\":\"Found $mark\""
echo "$sso_person, known by the provider alone, pushed $mark, cloned it, and reported an issue"
