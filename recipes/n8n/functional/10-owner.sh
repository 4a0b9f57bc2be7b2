#!/usr/bin/env bash
# Whoever comes first becomes the owner, and nobody after that. The files that follow use this session.
set -euo pipefail
# shellcheck source=../lib/n8n.sh
. "$(dirname "$0")/../lib/n8n.sh"

have_owner
me=$(as_owner GET /rest/login)
for wanted in "\"email\":\"$owner_email\"" '"role":"global:owner"'; do
  grep -qF "$wanted" <<< "$me" || { echo "the session of the owner has no $wanted: $me" >&2; exit 1; }
done
# A second one is refused.
if said=$(printf '{"email":"late-%s","firstName":"Late","lastName":"Comer","password":"%s"}' "$owner_email" "$owner_password" |
  ask POST /rest/owner/setup --header 'Content-Type: application/json' --data-binary @-); then
  echo "a second owner was made: $said" >&2
  exit 1
fi
grep -qF 'Instance owner already setup' <<< "$said" || { echo "n8n refused a second owner with: $said" >&2; exit 1; }
remember caller_password "$(random_hex 12)"
echo "$owner_email is the owner, and nobody else can become it"
