#!/usr/bin/env bash
# Other programs steer n8n with a key in place of a person's session.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

have_owner
mark=$(random_hex 8)

new_key() {
  made POST /rest/api-keys << JSON
{ "label": "$mark", "expiresAt": null,
  "scopes": ["workflow:create", "workflow:read", "workflow:delete", "workflow:activate", "execution:list", "execution:read"] }
JSON
}
by_key() {
  call_as "X-N8N-API-KEY: $key" "$@"
}
finished() {
  by_key GET "/api/v1/executions?workflowId=$workflow&includeData=true" | grep -F '"finished":true'
}

# n8n makes the same key twice in one second, and refuses the second one: then it is asked again.
said=$(eventually new_key)
key=$(text_of rawApiKey <<< "$said")
printf '%s\n' "$key" >> "$CCCI_WORK/secrets"
key_id=$(id_in "$said")
said=$(by_key POST /api/v1/workflows "${json[@]}" << JSON
{
  "name": "By key $mark", "settings": { "executionOrder": "v1" },
  "nodes": [
    { "id": "called", "name": "Called", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "webhookId": "$mark",
      "parameters": { "path": "$mark", "httpMethod": "GET", "responseMode": "onReceived", "options": {} } },
    { "id": "kept", "name": "Kept", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0],
      "parameters": { "mode": "manual", "options": {}, "assignments": { "assignments": [
        $(assigned word string "={{ \$json.query.word.split('').reverse().join('') }}") ] } } }
  ],
  "connections": { "Called": { "main": [[{ "node": "Kept", "type": "main", "index": 0 }]] } }
}
JSON
)
workflow=$(id_in "$said")
holds "the workflow" "$(by_key POST "/api/v1/workflows/$workflow/activate")" '"active":true'
# This one answers before it has done its work, and n8n 2 makes it active after its answer. The work is in the history
# soon, with its result.
holds "the call" "$(eventually call GET "/webhook/$mark?word=$mark-live")" '"message":"Workflow was started"'
said=$(eventually finished)
holds "the history" "$said" '"word":"evil-'
[ "$(grep -oF '"finished":' <<< "$said" | wc -l)" = 1 ] || fail "the history of one call has more: ${said:0:400}"

holds "the key's end" "$(as_owner DELETE "/rest/api-keys/$key_id")" '"success":true'
denied "a key that was taken back" 401 'nauthorized"' by_key GET "/api/v1/workflows/$workflow"
echo "a key makes, starts and reads workflow $workflow, and opens nothing after its end"
