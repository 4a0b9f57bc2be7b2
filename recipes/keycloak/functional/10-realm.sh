#!/usr/bin/env bash
# A realm, two clients and a user are made over the admin API and read back. The files that follow use them.
set -euo pipefail
# shellcheck source=../lib/keycloak.sh
. "$(dirname "$0")/../lib/keycloak.sh"

make_realm own
# shellcheck disable=SC2154 # make_realm sets both
[ "$(as_admin GET "/admin/realms/$realm" | text_of displayName)" = "Realm $mark" ] ||
  { echo "the realm $realm does not read back as it was made" >&2; exit 1; }
client=$(as_admin GET "/admin/realms/$realm/clients?clientId=app")
grep -qF "\"redirectUris\":[\"https://app.example/$mark/*\"]" <<< "$client" ||
  { echo "the client does not read back with its redirect: ${client:0:600}" >&2; exit 1; }
user=$(as_admin GET "/admin/realms/$realm/users?username=ann-$mark&exact=true")
grep -qF "\"email\":\"ann-$mark@example.org\"" <<< "$user" ||
  { echo "the user does not read back with an address: ${user:0:600}" >&2; exit 1; }
# A name is taken once.
if said=$(as_admin POST /admin/realms --data-binary @- <<< "{\"realm\":\"$realm\",\"enabled\":true}"); then
  echo "a second realm $realm was made" >&2
  exit 1
fi
grep -qF "$realm already exists" <<< "$said" || { echo "a second realm $realm was refused with: $said" >&2; exit 1; }
echo "realm $realm with two clients and a user reads back as it was made"
