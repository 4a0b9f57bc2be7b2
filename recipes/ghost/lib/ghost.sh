# Sourced by this recipe's scripts: the owner, requests in the owner's name, and Ghost's mail.
. "$CCCI_SH"

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
# Ghost takes sessions and logins only from pages of its own; $origin is another one.
ask() {
  local headers=("Origin: ${origin:-$CCCI_URL}")
  call "$@"
}

# as_owner METHOD PATH [CURL ARGUMENTS]: the same with the owner's session.
as_owner() {
  local headers=("Origin: ${origin:-$CCCI_URL}")
  call_as "Cookie: ghost-admin-api-session=$owner_session" "$@"
}

# made METHOD PATH: what Ghost says to the JSON on standard input, in the owner's name.
made() {
  as_owner "$@" "${json[@]}"
}

# id_in JSON: the id that Ghost gave to what it made.
id_in() {
  grep -oE '"id":"[0-9a-f]{24}"' <<< "$1" | head -n 1 | cut -d'"' -f4
}

# publish TITLE WORDS [FIELD]: $said is what Ghost says of the new post, $slug its address, which may take a moment to be
# there, and $changed the time of its change.
publish() {
  said=$(made POST '/ghost/api/admin/posts/?source=html&formats=html' << JSON
{ "posts": [{ "title": "$1", "html": "<p>$2</p>", "status": "published"${3:+, $3} }] }
JSON
  ) || fail "the post is refused: $said"
  slug=$(grep -oE '"slug":"[^"]+"' <<< "$said" | head -n 1 | cut -d'"' -f4)
  changed=$(text_of updated_at <<< "$said")
}

# log_in: $owner_session of the owner. Ghost opens it when it is told the code that it mails to a new device.
log_in() {
  local said code
  have_mailbox app
  said=$(printf '{"username":"%s","password":"%s"}' "$owner_email" "$owner_password" |
    ask POST /ghost/api/admin/session/ --include "${json[@]}") || true
  owner_session=$(cookie_of ghost-admin-api-session <<< "$said")
  [ -n "$owner_session" ] || fail "the owner's login gave no session: ${said##*$'\n'}"
  if grep -q '"code" *: *"2FA_' <<< "$said"; then
    if said=$(as_owner GET /ghost/api/admin/users/me/); then fail "a session is open before Ghost was told its code"; fi
    code=$(mail_to app "$owner_email" | sed -n 's/^Subject: \([0-9]\{6\}\) .*/\1/p')
    [ -n "$code" ] || fail "the mail to the owner has no code in its subject"
    said=$(made PUT /ghost/api/admin/session/verify/ <<< "{\"token\":\"$code\"}") || fail "Ghost refuses the code that it has mailed: $said"
  fi
}

# have_owner: the owner that an earlier test made, or a new one: the first to come becomes it. The session is kept
# and used by all, because Ghost mails four codes an hour only.
have_owner() {
  if [ -n "${owner_session:-}" ] && as_owner GET /ghost/api/admin/users/me/ 2> /dev/null | grep -qF "\"$owner_email\""; then
    return
  fi
  owner_email="owner-$(random_hex 4)@example.org"
  owner_password="A1-$(random_hex 12)"
  local said
  said=$(printf '{"setup":[{"name":"Olive Owner","email":"%s","password":"%s","blogTitle":"Blog of %s"}]}' \
    "$owner_email" "$owner_password" "$CCCI_RUN" |
    ask POST /ghost/api/admin/authentication/setup/ "${json[@]}") || fail "there is no owner of this run, and none can be made: $said"
  log_in
  remember owner_email "$owner_email"
  remember owner_password "$owner_password"
  remember owner_session "$owner_session"
}

# dot FILE: an image of one point, with bytes of its own behind its end.
dot() {
  printf 'GIF89a\1\0\1\0\200\0\0\377\377\377\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;' > "$1"
  head -c 2000 /dev/urandom >> "$1"
}

# upload FILE TYPE: what Ghost says.
upload() {
  as_owner POST /ghost/api/admin/images/upload/ --form "file=@$1;type=$2" --form purpose=image
}
