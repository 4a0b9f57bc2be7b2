#!/usr/bin/env bash
# What one realm exports another one takes: how people move and keep set-ups. Secrets stay behind.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

be_admin
made "/admin/realms/$own_realm/roles" <<< "{\"name\":\"reader-$(random_hex 4)\"}"
role=$(request GET "/admin/realms/$own_realm/roles?search=reader-" | text_of name)
exported=$(request POST "/admin/realms/$own_realm/partial-export?exportClients=true&exportGroupsAndRoles=true")
holds "the export" "$exported" "\"realm\":\"$own_realm\"" "\"name\":\"$role\"" "https://app.example/$own_mark/"
[[ $exported != *"$own_secret"* ]] || fail "the export shows the client's secret"

# Ids belong to the realm that gave them; everything else is taken as it is, under another name.
other="moved-$(random_hex 6)"
said=$(sed 's/"id":"[0-9a-f-]\{36\}",//g' <<< "${exported//$own_realm/$other}" | made /admin/realms) ||
  fail "a realm of the export was refused: ${said:0:600}"
holds "the role that came along" "$(request GET "/admin/realms/$other/roles/$role")" "\"name\":\"$role\""
holds "the client that came along" "$(request GET "/admin/realms/$other/clients?clientId=app")" "https://app.example/$own_mark/"
request DELETE "/admin/realms/$other"
echo "a client and a role went from $own_realm to $other, and no secret with them"
