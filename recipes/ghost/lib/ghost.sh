# Sourced by this recipe's scripts: the owner, requests in the owner's name, and Ghost's mail.

# random_hex BYTES
random_hex() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# remember NAME VALUE: for the tests that run later.
remember() {
  printf '%s=%s\n' "$1" "$2" >> "$CCCI_WORK/variables"
}

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
# Ghost takes sessions and logins only from pages of its own; $origin is another one.
ask() {
  local method=$1 path=$2
  shift 2
  curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
    --header "Origin: ${origin:-$CCCI_URL}" --request "$method" "$@" "$CCCI_URL$path"
}

# as_owner METHOD PATH [CURL ARGUMENTS]: the same with the owner's session. It goes through a file: an
# argument list can be read by everyone on the machine.
as_owner() {
  ask "$@" --header @<(printf 'Cookie: ghost-admin-api-session=%s\n' "$owner_session")
}

# made METHOD PATH: what Ghost says to the JSON on standard input, in the owner's name.
made() {
  as_owner "$@" --header 'Content-Type: application/json' --data-binary @-
}

# text_of KEY: the first string under that key in the JSON on standard input.
text_of() {
  grep -o "\"$1\" *: *\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'
}

# have_mailbox: the server that Ghost's mail goes to runs in its container, where another deploy may have ended it.
have_mailbox() {
  local said
  said=$("$CCCI_EXEC" app -- node -e '
    const box = require("child_process").spawn(process.execPath, ["-e", process.argv[1]],
      { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    box.stdout.once("data", (told) => process.stdout.write(told, () => process.exit()));
    box.once("exit", () => process.exit());' "$(cat "$(dirname "${BASH_SOURCE[0]}")/mailbox.js")")
  [ "$said" = there ] || { echo "there is no server for mail in Ghost's container: ${said:-it ended}" >&2; return 1; }
}

# mail_to ADDRESS: the last mail.
mail_to() {
  "$CCCI_EXEC" app -- cat "/tmp/mail-$1" || { echo "Ghost has sent no mail to $1" >&2; return 1; }
}

# log_in: $owner_session of the owner. Ghost opens it when it is told the code that it mails to a new device.
log_in() {
  local said code
  have_mailbox
  said=$(printf '{"username":"%s","password":"%s"}' "$owner_email" "$owner_password" |
    ask POST /ghost/api/admin/session/ --include --header 'Content-Type: application/json' --data-binary @-) || true
  owner_session=$(tr -d '\r' <<< "$said" | sed -n 's/^set-cookie: ghost-admin-api-session=\([^;]*\);.*/\1/Ip')
  [ -n "$owner_session" ] || { echo "the owner's login gave no session: ${said##*$'\n'}" >&2; return 1; }
  if grep -q '"code" *: *"2FA_' <<< "$said"; then
    if said=$(as_owner GET /ghost/api/admin/users/me/); then
      echo "a session is open before Ghost was told its code" >&2
      return 1
    fi
    code=$(mail_to "$owner_email" | sed -n 's/^Subject: \([0-9]\{6\}\) .*/\1/p')
    [ -n "$code" ] || { echo "the mail to the owner has no code in its subject" >&2; return 1; }
    said=$(made PUT /ghost/api/admin/session/verify/ <<< "{\"token\":\"$code\"}") ||
      { echo "Ghost refuses the code that it has mailed: $said" >&2; return 1; }
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
    ask POST /ghost/api/admin/authentication/setup/ --header 'Content-Type: application/json' --data-binary @-) ||
    { echo "there is no owner of this run, and none can be made: $said" >&2; return 1; }
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
