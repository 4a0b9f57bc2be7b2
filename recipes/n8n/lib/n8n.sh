# Sourced by this recipe's scripts: the owner, and requests in the owner's name.

# random_hex BYTES
random_hex() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# remember NAME VALUE: for the tests that run later.
remember() {
  printf '%s=%s\n' "$1" "$2" >> "$CCCI_WORK/variables"
}

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
# A session belongs to one browser-id: with another one n8n ends it.
ask() {
  local method=$1 path=$2
  shift 2
  curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
    --header 'browser-id: cc-ci' --request "$method" "$@" "$CCCI_URL$path"
}

# as_owner METHOD PATH [CURL ARGUMENTS]: the same with the owner's session. It goes through a file: an
# argument list can be read by anybody on the machine.
as_owner() {
  ask "$@" --header @<(printf 'Cookie: n8n-auth=%s\n' "$owner_session")
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
    ask POST /rest/owner/setup --include --header 'Content-Type: application/json' --data-binary @-) ||
    { echo "there is no owner of this run, and none can be made: ${said##*$'\n'}" >&2; return 1; }
  owner_session=$(tr -d '\r' <<< "$said" | sed -n 's/^set-cookie: n8n-auth=\([^;]*\);.*/\1/Ip')
  [ -n "$owner_session" ] || { echo "the owner's set-up gave no session" >&2; return 1; }
  remember owner_email "$owner_email"
  remember owner_password "$owner_password"
  remember owner_session "$owner_session"
}
