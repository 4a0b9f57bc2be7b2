#!/usr/bin/env bash
# A secret that is given to n8n is kept under its key: workflows use it, and no one is shown it again.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

have_owner
mark=$(random_hex 8)
new_credential "Locked $mark"
holds "the new credential" "$said" '"data":"'
[[ $said != *"$secret"* ]] || fail "n8n shows the password of the new credential"
# That the user can be read shows that the key fits; the password stays blank.
holds "the credential" "$(as_owner GET "/rest/credentials/$credential?includeData=true")" \
  '"user":"caller"' '"password":"__n8n_BLANK_VALUE'

new_workflow "Locked $mark" "$mark" "$(assigned shout string '={{ $json.body.word.toUpperCase() }}')" "$credential"
switch "$workflow" "$version" true "$mark"
denied "a call without the password" 401 '' called "$mark" '{"word":"open"}'
# n8n 1 says 403, n8n 2 as to whoever has none.
refused "a call with a wrong password" 'error: 40[13]$' called_by caller "not-$secret" "$mark" '{"word":"open"}'
holds "a call with the password" "$(called_by caller "$secret" "$mark" '{"word":"open"}')" '{"shout":"OPEN"}'
echo "workflow $workflow opens to the password of credential $credential alone"
