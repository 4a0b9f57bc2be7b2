#!/usr/bin/env bash
# What n8n is for: a workflow is made over the API, and does its work when it is called.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

have_owner
mark=$(random_hex 8)
new_workflow "Sum $mark" "$mark" "$(assigned sum number "$sum")"
denied "a call of one that is not active" 404 "POST $mark" called "$mark" '{"a":2,"b":40}'
switch "$workflow" "$version" true "$mark"
# A caller needs no session; the answer is what the last node made of the call.
holds "2 and 40" "$(called "$mark" '{"a":2,"b":40}')" '{"sum":42}'
holds "-7 and 0.5" "$(called "$mark" '{"a":-7,"b":0.5}')" '{"sum":-6.5}'

history=$(as_owner GET "/rest/executions?filter=%7B%22workflowId%22%3A%22$workflow%22%7D")
for once_each in '"mode":' '"mode":"webhook"' '"status":"success"'; do
  count=$(grep -oF "$once_each" <<< "$history" | wc -l)
  [ "$count" = 2 ] || fail "the history of two calls has $count times $once_each: ${history:0:400}"
done
denied "a stranger's look at the workflow" 401 '"message":"Unauthorized"' call GET "/rest/workflows/$workflow"
remember keep_workflow_name "Sum $mark"
echo "workflow $workflow adds what it is called with, and only when it is active"
