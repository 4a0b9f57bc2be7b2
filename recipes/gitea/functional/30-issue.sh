#!/usr/bin/env bash
# An issue is opened, answered and closed, and its history says who did what.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$alice_token issues=/api/v1/repos/$club/$repository/issues

said=$(ask POST "$issues" --data "{\"title\":\"It rains in $repository\",\"body\":\"Since run $CCCI_RUN.\"}")
holds "the new issue" "$said" "\"login\":\"$alice\"" '"state":"open"'
issue=$(number_in "$said")
ask POST "$issues/$issue/comments" --data "{\"body\":\"Fixed by **$commit**\"}" > /dev/null
holds "the answer to its end" "$(ask PATCH "$issues/$issue" --data '{"state":"closed"}')" '"state":"closed"'
holds "the issue" "$(ask GET "$issues/$issue")" "\"title\":\"It rains in $repository\"" "\"body\":\"Since run $CCCI_RUN.\"" \
  '"state":"closed"' '"comments":1,'
# It is found by a word, among the closed ones.
found=$(number_in "$(ask GET "$issues?state=closed&type=issues&q=rains")")
[ "$found" = "$issue" ] || fail "the word finds '$found' and not issue $issue alone"
# The repository is private, and so is what is written in it.
token=$bob_token
denied "a stranger's look at the issue" 404 '' ask GET "$issues/$issue"
echo "issue $issue of $repository was answered and closed, and is found"
