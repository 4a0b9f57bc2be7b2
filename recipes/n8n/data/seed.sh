#!/usr/bin/env bash
# The owner, a credential, and a workflow that may only be called with the credential: the check of it needs the
# database, the folder's key and n8n's list of webhooks.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

have_owner
mark=$(random_hex 6)
new_credential "Seeded $mark"
new_workflow "Seeded $mark" "seeded-$mark" "$(assigned sum number "$sum"), $(assigned mark string "$mark")" "$credential"
switch "$workflow" "$version" true "seeded-$mark"

remember seed_mark "$mark"
remember seed_secret "$secret"
remember seed_workflow "$workflow"
remember seed_version "$version"
remember seed_credential "$credential"
remember seed_email "$owner_email"
remember seed_session "$owner_session"
echo "made workflow $workflow with credential $credential for $owner_email"
