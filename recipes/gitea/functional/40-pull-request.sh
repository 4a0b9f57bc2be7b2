#!/usr/bin/env bash
# A change comes by a pull request: a branch with another file, its difference, the merge into main.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
token=$alice_token repo=$club/$repository text='Changed by a pull request.'
here=/api/v1/repos/$repo branch=change-$(random_hex 5)

said=$(ask POST "$here/contents/CHANGES.md" --data "{\"branch\":\"main\",\"new_branch\":\"$branch\",\"message\":\"Say what changes\",
  \"content\":\"$(base64 <<< "$text")\"}")
head=$(text_of sha <<< "${said#*\"commit\":}")
eventually has_commit "$head" "$branch" > /dev/null
said=$(ask POST "$here/pulls" --data "{\"title\":\"Changes of $branch\",\"base\":\"main\",\"head\":\"$branch\"}")
holds "the new pull request" "$said" "\"sha\":\"$head\"" '"merged":false'
pull=$here/pulls/$(number_in "$said")
holds "its difference" "$(ask GET "$pull.diff")" "+$text"

# The server looks for conflicts first, in the background.
is_mergeable() { holds "the pull request" "$(ask GET "$pull")" '"mergeable":true'; }
eventually is_mergeable > /dev/null
eventually ask POST "$pull/merge" --data '{"Do":"merge"}' > /dev/null
said=$(ask GET "$pull")
holds "the merged pull request" "$said" '"merged":true'
[ "$(text_of login <<< "${said#*\"merged_by\":}")" = "$alice" ] || fail "another one than $alice merged it: ${said:0:400}"
cmp <(ask GET "$here/raw/CHANGES.md?ref=main") <(echo "$text") || fail "main does not have the change"

# The file goes again, so that the next pull request can bring it.
blob=$(ask GET "$here/contents/CHANGES.md" | text_of sha)
ask DELETE "$here/contents/CHANGES.md" --data "{\"branch\":\"main\",\"sha\":\"$blob\",\"message\":\"Take it back\"}" > /dev/null
echo "$alice merged $branch, and main has its change"
