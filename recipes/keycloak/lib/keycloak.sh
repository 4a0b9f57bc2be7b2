# Sourced by this recipe's scripts: requests in the administrator's name, and a realm to test with.

# random_hex BYTES
random_hex() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# remember NAME VALUE: for the tests that run later.
remember() {
  printf '%s=%s\n' "$1" "$2" >> "$CCCI_WORK/variables"
}

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
ask() {
  local method=$1 path=$2
  shift 2
  curl -sS --fail-with-body --max-time 120 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
    --request "$method" "$@" "$CCCI_URL$path"
}

# text_of KEY: the first string under that key in the JSON on standard input.
text_of() {
  grep -o "\"$1\" *: *\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'
}

# be_admin: the administrator's token, good for a minute, in $bearer. What is secret goes through files
# and pipes: an argument list can be read by anybody on the machine.
be_admin() {
  local password said
  password=$("$CCCI_EXEC" app -- cat /run/secrets/admin_password)
  said=$(ask POST /realms/master/protocol/openid-connect/token --data 'client_id=admin-cli&grant_type=password&username=admin' \
    --data-urlencode "password@"<(printf '%s' "$password")) ||
    { echo "the administrator cannot log in: $said" >&2; return 1; }
  bearer=$(text_of access_token <<< "$said")
  [ -n "$bearer" ] || { echo "the administrator's login gave no token: ${said:0:300}" >&2; return 1; }
}

# as_admin METHOD PATH [CURL ARGUMENTS]: in the administrator's name, after be_admin. JSON comes on
# standard input where `--data-binary @-` is given.
as_admin() {
  ask "$@" --header @<(printf 'Authorization: Bearer %s\n' "$bearer") --header 'Content-Type: application/json'
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
