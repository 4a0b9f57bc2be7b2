#!/usr/bin/env bash
# What one realm exports another one takes: how people move and keep set-ups. Secrets stay behind.
set -euo pipefail
# shellcheck source=../lib/keycloak.sh
. "$(dirname "$0")/../lib/keycloak.sh"

: "${own_realm:?10-realm.sh makes it}"
# shellcheck disable=SC2154 # values of 10-realm.sh
mark=$own_mark secret=$own_secret
be_admin
as_admin POST "/admin/realms/$own_realm/roles" --data-binary @- <<< "{\"name\":\"reader-$(random_hex 4)\"}"
role=$(as_admin GET "/admin/realms/$own_realm/roles?search=reader-" | text_of name)
exported=$(as_admin POST "/admin/realms/$own_realm/partial-export?exportClients=true&exportGroupsAndRoles=true")
for wanted in "\"realm\":\"$own_realm\"" "\"name\":\"$role\"" "https://app.example/$mark/"; do
  grep -qF "$wanted" <<< "$exported" || { echo "the export has no $wanted: ${export:0:300}" >&2; exit 1; }
done
if [[ $exported == *"$secret"* ]]; then
  echo "the export shows the client's secret" >&2
  exit 1
fi

# Ids belong to the realm that gave them; everything else is taken as it is, under another name.
other="moved-$(random_hex 6)"
said=$(sed 's/"id":"[0-9a-f-]\{36\}",//g' <<< "${exported//$own_realm/$other}" | as_admin POST /admin/realms --data-binary @-) ||
  { echo "a realm of the export was refused: ${said:0:600}" >&2; exit 1; }
as_admin GET "/admin/realms/$other/roles/$role" | grep -qF "\"name\":\"$role\"" ||
  { echo "the role $role did not come along" >&2; exit 1; }
as_admin GET "/admin/realms/$other/clients?clientId=app" | grep -qF "https://app.example/$mark/" ||
  { echo "the client did not come along" >&2; exit 1; }
as_admin DELETE "/admin/realms/$other"
echo "a client and a role went from $own_realm to $other, and no secret with them"
