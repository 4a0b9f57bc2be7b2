# Sourced by this recipe's scripts: the owner, and requests in the owner's name.
. "$CCCI_SH"
# A session belongs to one browser-id: with another one n8n ends it.
headers=('browser-id: cc-ci')

# as_owner METHOD PATH [CURL ARGUMENTS]: with the owner's session.
as_owner() {
  call_as "Cookie: n8n-auth=$owner_session" "$@"
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
