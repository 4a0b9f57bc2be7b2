#!/usr/bin/env bash
# The owner, a credential, and a workflow that only whoever knows the credential may call: the check
# of it needs the database, the folder's key and n8n's list of webhooks.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

# made METHOD PATH: what n8n says to the JSON on standard input, in the owner's name.
made() {
  as_owner "$@" "${json[@]}"
}

have_owner
mark=$(random_hex 6)
secret=$(random_hex 12)
credential=$(id_in "$(made POST /rest/credentials <<< "
  {\"name\":\"Seeded $mark\",\"type\":\"httpBasicAuth\",\"data\":{\"user\":\"caller\",\"password\":\"$secret\"}}")")
said=$(made POST /rest/workflows << JSON
{
  "name": "Seeded $mark", "active": false, "settings": { "executionOrder": "v1" },
  "nodes": [
    { "id": "called", "name": "Called", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "webhookId": "seeded-$mark",
      "parameters": { "path": "seeded-$mark", "httpMethod": "POST", "authentication": "basicAuth", "responseMode": "lastNode", "options": {} },
      "credentials": { "httpBasicAuth": { "id": "$credential", "name": "Seeded $mark" } } },
    { "id": "added", "name": "Added", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0],
      "parameters": { "mode": "manual", "options": {}, "assignments": { "assignments": [
        { "id": "sum", "name": "sum", "type": "number", "value": "={{ \$json.body.a + \$json.body.b }}" },
        { "id": "mark", "name": "mark", "type": "string", "value": "$mark" } ] } } }
  ],
  "connections": { "Called": { "main": [[{ "node": "Added", "type": "main", "index": 0 }]] } }
}
JSON
)
workflow=$(id_in "$said")
version=$(text_of versionId <<< "$said")
made PATCH "/rest/workflows/$workflow" <<< "{\"active\":true,\"versionId\":\"$version\"}" > /dev/null

remember seed_mark "$mark"
remember seed_secret "$secret"
remember seed_workflow "$workflow"
remember seed_version "$version"
remember seed_credential "$credential"
remember seed_email "$owner_email"
remember seed_session "$owner_session"
echo "made workflow $workflow with credential $credential for $owner_email"
