#!/usr/bin/env bash
# Whoever signed in through the provider works with git: pushes to the new repository, clones it, and reports an issue.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
mark=$(random_hex 8) repo=$sso_person/$sso_repository

give_token "$sso_person"
holds "the token's owner" "$(ask GET /api/v1/user)" "\"login\":\"$sso_person\""
clone_as "$sso_person"
echo "$mark" > mark.txt
save 'Leave a mark'
git clone --quiet "$CCCI_URL/$repo.git" again
cmp mark.txt again/mark.txt

ask POST "/api/v1/repos/$repo/issues" --data "{\"title\":\"Found $mark\"}" > /dev/null
holds "the list of issues" "$(ask GET "/api/v1/repos/$repo/issues")" "\"title\":\"Found $mark\""
echo "$sso_person, known by the provider alone, pushed $mark, cloned it, and reported an issue"
