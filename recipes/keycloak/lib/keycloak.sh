# Sourced by this recipe's scripts: requests in somebody's name, a realm to test with, and its tokens.
. "$CCCI_SH"

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body; a realm is long in the making. request: in the name of $bearer.
# made PATH: it posts the JSON on standard input so.
ask() { call "$@" --max-time 120; }
request() {
  # A busy machine needs longer for a realm than the administrator's token lasts.
  if [ "$bearer" = "${admin_token:-}" ] && ((SECONDS >= admin_until)); then be_admin; fi
  call_as "Authorization: Bearer $bearer" "$@" --max-time 120
}
made() { request POST "$1" "${json[@]}"; }

# by_client PATH CLIENT FORM [CURL ARGUMENTS]: what $realm says there to a client, such as app:$secret, or to none.
by_client() {
  local login="${2:+user = \"$2\"}"
  ask POST "/realms/$realm/protocol/openid-connect/$1" --config <(printf '%s\n' "$login") --data @<(printf '%s' "$3") "${@:4}"
}

# take_tokens CLIENT FORM [CURL ARGUMENTS]: $access and $refresh, which may be none. $said is the answer.
take_tokens() {
  said=$(by_client token "$@") || fail "realm $realm gives no tokens: $said"
  grep -o 'eyJ[^"]*' <<< "$said" >> "$CCCI_WORK/secrets" || fail "the answer has no tokens: ${said:0:300}"
  access=$(text_of access_token <<< "$said")
  refresh=$(text_of refresh_token <<< "$said") || true
}

# part N TOKEN: what is in it: 1 is its head, 2 are its claims.
part() {
  local text
  text=$(cut -d. -f"$1" <<< "$2")
  while ((${#text} % 4)); do text+='='; done
  basenc --base64url --decode <<< "$text"
}

# userinfo TOKEN [CURL ARGUMENTS]: what $realm says of the person whose token it is.
userinfo() { bearer=$1 request GET "/realms/$realm/protocol/openid-connect/userinfo" "${@:2}"; }

# be_admin: $admin and $admin_password, as the server was told to call them, and a minute's token of theirs in $bearer.
be_admin() {
  # Releases before 26 had other names for it.
  # shellcheck disable=SC2016 # the container's shell reads it
  { read -r admin; read -r admin_password; } < <("$CCCI_EXEC" app -- sh -c '
    echo "${KC_BOOTSTRAP_ADMIN_USERNAME:-${KEYCLOAK_ADMIN:-admin}}"
    cat "${KC_BOOTSTRAP_ADMIN_PASSWORD_FILE:-${KEYCLOAK_ADMIN_PASSWORD_FILE:-/run/secrets/admin_password}}"; echo')
  realm=master take_tokens '' 'client_id=admin-cli&grant_type=password' \
    --data-urlencode "username=$admin" --data-urlencode "password@"<(printf '%s' "$admin_password")
  bearer=$access admin_token=$access admin_until=$((SECONDS + 30))
}

# add_person NAME SURNAME PASSWORD: in $realm, with everything that Keycloak wants to know of one.
add_person() {
  made "/admin/realms/$realm/users" << JSON
    { "username": "$1", "enabled": true, "email": "$1@example.org", "emailVerified": true, "firstName": "Ann",
      "lastName": "$2", "credentials": [{ "type": "password", "value": "$3", "temporary": false }] }
JSON
}

# make_realm PREFIX: $realm, whose names end with $mark, and whose tokens last $lifespan seconds. Its client `app`, with $secret,
# takes people's passwords; the account of its client `manager`, with $manager_secret, may do anything in this realm and
# nothing outside of it; its person $user has $password. All are values for later tests, as the administrator is: PREFIX_realm
# and so on.
make_realm() {
  local role account name
  mark=$(random_hex 6) secret=$(random_hex 16) manager_secret=$(random_hex 16) password=$(random_hex 12)
  realm=$1-$mark user=ann-$mark lifespan=$((RANDOM % 100 + 301))
  be_admin
  made /admin/realms <<< "{\"realm\":\"$realm\",\"displayName\":\"Realm $mark\",\"enabled\":true,\"accessTokenLifespan\":$lifespan}"
  made "/admin/realms/$realm/clients" << JSON
    { "clientId": "app", "secret": "$secret", "publicClient": false, "standardFlowEnabled": true,
      "directAccessGrantsEnabled": true, "serviceAccountsEnabled": true, "redirectUris": ["https://app.example/$mark/*"] }
JSON
  made "/admin/realms/$realm/clients" << JSON
    { "clientId": "manager", "secret": "$manager_secret", "publicClient": false, "standardFlowEnabled": false, "serviceAccountsEnabled": true }
JSON
  role=$(request GET "/admin/realms/$realm/clients?clientId=realm-management" | text_of id)
  account=$(request GET "/admin/realms/$realm/users?username=service-account-manager&exact=true" | text_of id)
  request GET "/admin/realms/$realm/clients/$role/roles/realm-admin" | sed 's/^/[/; s/$/]/' |
    made "/admin/realms/$realm/users/$account/role-mappings/clients/$role"
  add_person "$user" "Of $mark" "$password"
  for name in admin admin_password realm mark lifespan secret manager_secret user password; do remember "$1_$name" "${!name}"; done
}
