# Sourced by this recipe's scripts: the owner, requests in the owner's name, and workflows.
. "$CCCI_SH"
# A session belongs to one browser-id: with another one n8n ends it.
headers=('browser-id: cc-ci')

# as_owner METHOD PATH [CURL ARGUMENTS]: with the owner's session.
as_owner() {
  call_as "Cookie: n8n-auth=$owner_session" "$@"
}

# made METHOD PATH: what n8n says to the JSON on standard input, in the owner's name.
made() {
  as_owner "$@" "${json[@]}"
}

# id_in JSON: the id that n8n gave to what it made; ids inside a workflow are chosen shorter.
id_in() {
  grep -oE '"id":"[A-Za-z0-9]{16}"' <<< "$1" | head -n 1 | cut -d'"' -f4
}

# have_owner: the owner that an earlier test made, or a new one: whoever comes first becomes it.
# The session of the set-up is kept and used by all, because n8n takes five logins a minute only.
have_owner() {
  if [ -n "${owner_session:-}" ] && as_owner GET /rest/login 2> /dev/null | grep -qF "\"$owner_email\""; then
    return
  fi
  owner_email="owner-$(random_hex 4)@example.org"
  # n8n wants a capital and a digit.
  owner_password="A1$(random_hex 12)"
  local said
  said=$(printf '{"email":"%s","firstName":"Olive","lastName":"Owner","password":"%s"}' "$owner_email" "$owner_password" |
    call POST /rest/owner/setup --include "${json[@]}") || fail "there is no owner of this run, and none can be made: ${said##*$'\n'}"
  owner_session=$(cookie_of n8n-auth <<< "$said")
  [ -n "$owner_session" ] || fail "the owner's set-up gave no session"
  remember owner_email "$owner_email"
  remember owner_password "$owner_password"
  remember owner_session "$owner_session"
}

# new_credential NAME: $credential, for the user caller with the password $secret. $said is what n8n says of it.
new_credential() {
  secret=$(random_hex 12)
  printf '%s\n' "$secret" >> "$CCCI_WORK/secrets"
  said=$(made POST /rest/credentials <<< "
    {\"name\":\"$1\",\"type\":\"httpBasicAuth\",\"data\":{\"user\":\"caller\",\"password\":\"$secret\"}}")
  credential=$(id_in "$said")
}

# assigned NAME TYPE VALUE: a part of what a workflow answers. $sum is one such value.
sum='={{ $json.body.a + $json.body.b }}'
assigned() {
  printf '{ "id": "%s", "name": "%s", "type": "%s", "value": "%s" }' "$1" "$1" "$2" "$3"
}

# new_workflow NAME PATH ASSIGNED [CREDENTIAL]: $workflow and its $version, not active. It takes calls at that path, with a
# credential of its own name where it has one. A run by hand takes the pinned call.
new_workflow() {
  local said lock='' login=none
  if [ -n "${4:-}" ]; then
    login=basicAuth
    lock="\"credentials\": { \"httpBasicAuth\": { \"id\": \"$4\", \"name\": \"$1\" } },"
  fi
  said=$(made POST /rest/workflows << JSON
{
  "name": "$1", "active": false, "settings": { "executionOrder": "v1" },
  "nodes": [
    { "id": "called", "name": "Called", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "webhookId": "$2", $lock
      "parameters": { "path": "$2", "httpMethod": "POST", "authentication": "$login", "responseMode": "lastNode", "options": {} } },
    { "id": "answered", "name": "Answered", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0],
      "parameters": { "mode": "manual", "options": {}, "assignments": { "assignments": [$3] } } }
  ],
  "connections": { "Called": { "main": [[{ "node": "Answered", "type": "main", "index": 0 }]] } },
  "pinData": { "Called": [{ "json": { "body": { "a": 1200, "b": 34 } } }] }
}
JSON
  ) || fail "n8n makes no workflow: $said"
  holds "the new workflow" "$said" '"active":false'
  workflow=$(id_in "$said")
  version=$(text_of versionId <<< "$said")
}

# listens PATH true|false: whether n8n takes calls there, as a browser asks it before a call: no workflow is started.
listens() {
  local said
  said=$(call OPTIONS "/webhook/$1" --include --header 'Origin: https://example.org') || return
  printf '%s\n' "$said"
  if grep -qi '^access-control-allow-methods:.*POST' <<< "$said"; then [ "$2" = true ]; else [ "$2" = false ]; fi
}

# switch WORKFLOW VERSION true|false PATH: makes it active or not, and waits until calls there are taken or not: n8n 2
# answers before it has done it. It has addresses for this; n8n 1, which has none there, takes it as a change.
switch() {
  local said verb=activate
  if [ "$3" = false ]; then verb=deactivate; fi
  if ! said=$(made POST "/rest/workflows/$1/$verb" <<< "{\"versionId\":\"$2\"}" 2>&1); then
    grep -qF 'error: 404' <<< "$said" || fail "n8n does not $verb workflow $1: $said"
    said=$(made PATCH "/rest/workflows/$1" <<< "{\"active\":$3,\"versionId\":\"$2\"}") ||
      fail "n8n does not $verb workflow $1 by a change of it: $said"
  fi
  holds "workflow $1 after $verb" "$said" "\"active\":$3"
  eventually listens "$4" "$3" > /dev/null
}

# called PATH JSON: what the workflow there answers.
called() {
  call POST "/webhook/$1" "${json[@]}" <<< "$2"
}

# called_by USER PASSWORD PATH JSON: the same by someone who knows a password.
called_by() {
  call_as "Authorization: Basic $(printf '%s:%s' "$1" "$2" | base64 --wrap 0)" POST "/webhook/$3" "${json[@]}" <<< "$4"
}
