#!/usr/bin/env bash
# A restored n8n is a working one: the seeded workflow is switched off and on, and obeys.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

owner_session=$seed_session
switch "$seed_workflow" "$seed_version" false "seeded-$seed_mark"
denied "a call of one that is switched off" 404 "seeded-$seed_mark" \
  called_by caller "$seed_secret" "seeded-$seed_mark" '{"a":1,"b":1}'
switch "$seed_workflow" "$seed_version" true "seeded-$seed_mark"
holds "20 and 3" "$(called_by caller "$seed_secret" "seeded-$seed_mark" '{"a":20,"b":3}')" '"sum":23,'
echo "workflow $seed_workflow is switched off and on, and obeys"
