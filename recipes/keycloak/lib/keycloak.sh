# Sourced by this recipe's scripts: requests in the administrator's name, and a realm to test with.
. "$CCCI_SH"

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body; a realm is long in the making.
ask() {
  call "$@" --max-time 120
}

# be_admin: the administrator's token, good for a minute, in $bearer.
be_admin() {
  local name password said
  # As the server was told to call them: releases before 26 had other names for it.
  # shellcheck disable=SC2016 # the container's shell reads it
  {
    read -r name
    read -r password
  } < <("$CCCI_EXEC" app -- sh -c 'echo "${KC_BOOTSTRAP_ADMIN_USERNAME:-${KEYCLOAK_ADMIN:-admin}}"
    cat "${KC_BOOTSTRAP_ADMIN_PASSWORD_FILE:-${KEYCLOAK_ADMIN_PASSWORD_FILE:-/run/secrets/admin_password}}"; echo')
  said=$(ask POST /realms/master/protocol/openid-connect/token --data 'client_id=admin-cli&grant_type=password' \
    --data-urlencode "username=$name" --data-urlencode "password@"<(printf '%s' "$password")) || fail "$name cannot log in: $said"
  bearer=$(text_of access_token <<< "$said")
  [ -n "$bearer" ] || fail "the administrator's login gave no token: ${said:0:300}"
}

# as_admin METHOD PATH [CURL ARGUMENTS]: in the administrator's name, after be_admin. JSON comes on
# standard input where `--data-binary @-` is given.
as_admin() {
  call_as "Authorization: Bearer $bearer" "$@" --max-time 120 --header 'Content-Type: application/json'
}

# id_of PATH: the id of the one thing that this search finds.
id_of() {
  as_admin GET "$1" | text_of id
}

# make_realm PREFIX: a realm with
#   - a client `app` that takes people's passwords and has an account of its own,
#   - a client `manager` whose account may do anything in this realm and nothing outside of it,
#   - a user with everything that Keycloak wants to know of one.
# Their names and secrets are values that begin with the prefix; the realm is in $realm, and $mark is the
# random end of all names.
make_realm() {
  local name secret manager password role
  mark=$(random_hex 6)
  realm="$1-$mark"
  secret=$(random_hex 16)
  manager=$(random_hex 16)
  password=$(random_hex 12)
  be_admin
  as_admin POST /admin/realms --data-binary @- <<< "{\"realm\":\"$realm\",\"displayName\":\"Realm $mark\",\"enabled\":true}"
  as_admin POST "/admin/realms/$realm/clients" --data-binary @- << JSON
    { "clientId": "app", "secret": "$secret", "publicClient": false, "standardFlowEnabled": true,
      "directAccessGrantsEnabled": true, "serviceAccountsEnabled": true, "redirectUris": ["https://app.example/$mark/*"] }
JSON
  as_admin POST "/admin/realms/$realm/clients" --data-binary @- << JSON
    { "clientId": "manager", "secret": "$manager", "publicClient": false, "standardFlowEnabled": false, "serviceAccountsEnabled": true }
JSON
  as_admin POST "/admin/realms/$realm/users" --data-binary @- << JSON
    { "username": "ann-$mark", "enabled": true, "email": "ann-$mark@example.org", "emailVerified": true,
      "firstName": "Ann", "lastName": "Of $mark", "credentials": [{ "type": "password", "value": "$password", "temporary": false }] }
JSON
  role=$(id_of "/admin/realms/$realm/clients?clientId=realm-management")
  name=$(id_of "/admin/realms/$realm/users?username=service-account-manager&exact=true")
  as_admin GET "/admin/realms/$realm/clients/$role/roles/realm-admin" | sed 's/^/[/; s/$/]/' |
    as_admin POST "/admin/realms/$realm/users/$name/role-mappings/clients/$role" --data-binary @-
  remember "$1_realm" "$realm"
  remember "$1_mark" "$mark"
  remember "$1_secret" "$secret"
  remember "$1_manager_secret" "$manager"
  remember "$1_user" "ann-$mark"
  remember "$1_password" "$password"
}
