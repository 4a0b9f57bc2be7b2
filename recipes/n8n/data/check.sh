#!/usr/bin/env bash
# The workflow does its work for a caller with the seeded secret, and is still locked. Its owner is the same person, in
# the same session. The credential can be read: the key is the one that it was written with.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

owner_session=$seed_session
holds "2 and 40" "$(called_by caller "$seed_secret" "seeded-$seed_mark" '{"a":2,"b":40}')" '"sum":42,' "\"mark\":\"$seed_mark\""
denied "a call without the secret" 401 Authorization called "seeded-$seed_mark" '{"a":2,"b":40}'
holds "the owner" "$(as_owner GET /rest/login)" "\"email\":\"$seed_email\"" '"firstName":"Olive"'
kept=$(as_owner GET "/rest/workflows/$seed_workflow")
# n8n 2 also shows the version that is active, with nodes of its own.
kept=${kept%%'"activeVersion":{'*}
holds "the workflow" "$kept" "\"name\":\"Seeded $seed_mark\"" '"active":true' '"name":"Called"' '"name":"Answered"'
nodes=$(grep -oF '"typeVersion":' <<< "$kept" | wc -l)
[ "$nodes" = 2 ] || fail "the workflow has $nodes nodes: ${kept:0:400}"
holds "the credential" "$(as_owner GET "/rest/credentials/$seed_credential?includeData=true")" '"user":"caller"'
echo "workflow $seed_workflow does its work for $seed_email"
