# Sourced by this recipe's scripts: accounts, and requests in their names.
. "$CCCI_SH"

# ask METHOD CALL [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
ask() {
  call "$1" "/xrpc/$2" "${@:3}"
}

# told CALL [CURL ARGUMENTS]: what the server says to the JSON on standard input.
told() {
  ask POST "$@" "${json[@]}"
}

# as_admin CALL: the same in the administrator's name, who is known by a password that the server was started with.
# Names and passwords go through files: an argument list can be read by everyone on the machine.
as_admin() {
  local password
  # shellcheck disable=SC2016 # the container's shell reads it
  password=$("$CCCI_EXEC" app -- sh -c \
    'cat /proc/[0-9]*/environ 2> /dev/null | tr "\0" "\n" | sed -n "s/^PDS_ADMIN_PASSWORD=//p" | head -n 1' < /dev/null)
  [ -n "$password" ] || fail "no process of the app knows PDS_ADMIN_PASSWORD"
  printf '%s\n' "$password" >> "$CCCI_WORK/secrets"
  told "$1" --header @<(printf 'Authorization: Basic %s\n' "$(printf 'admin:%s' "$password" | base64 --wrap=0)")
}

# new_invite: $invite, for one account.
new_invite() {
  local said
  said=$(as_admin com.atproto.server.createInviteCode <<< '{"useCount":1}') || fail "there is no invite: $said"
  invite=$(text_of code <<< "$said")
}

# handle_of NAME: with the end that this server gives.
handle_of() {
  printf '%s' "$1"
  ask GET com.atproto.server.describeServer | grep -o '"availableUserDomains" *: *\["[^"]*"' | sed 's/.*\["//; s/"$//'
}

# create NAME: what the server says to a wish for an account, with $invite and $password.
create() {
  printf '{"handle":"%s","email":"%s@example.org","password":"%s","inviteCode":"%s"}' \
    "$(handle_of "$1")" "$1" "$password" "$invite" |
    told com.atproto.server.createAccount
}

# add_account NAME: $handle, $did, $token and $password of a new account.
add_account() {
  local said
  password=$(random_hex 12)
  handle=$(handle_of "$1")
  new_invite
  said=$(create "$1") || fail "there is no account $1: $said"
  did=$(text_of did <<< "$said")
  token=$(text_of accessJwt <<< "$said")
  [ -n "$did" ] && [ -n "$token" ]
}

# as_account CALL [CURL ARGUMENTS]: with $token.
as_account() {
  told "$@" --header @<(printf 'Authorization: Bearer %s\n' "$token")
}

# upload FILE: $blob and $shown, its name and how a record names it, of a new file.
upload() {
  local said
  head -c 3000 /dev/urandom > "$1"
  said=$(ask POST com.atproto.repo.uploadBlob --header @<(printf 'Authorization: Bearer %s\n' "$token") \
    --header 'Content-Type: image/png' --data-binary "@$1")
  blob=$(text_of '$link' <<< "$said")
  [ -n "$blob" ] || fail "the server names no blob: $said"
  shown="{\"\$type\":\"blob\",\"ref\":{\"\$link\":\"$blob\"},\"mimeType\":\"image/png\",\"size\":3000}"
}

# show DID TEXT: $record, a post with the text and the last upload.
show() {
  local said
  said=$(as_account com.atproto.repo.createRecord << JSON
{ "repo": "$1", "collection": "app.bsky.feed.post", "record": { "\$type": "app.bsky.feed.post", "text": "$2",
  "createdAt": "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)",
  "embed": { "\$type": "app.bsky.embed.images", "images": [{ "alt": "noise", "image": $shown }] } } }
JSON
) || fail "the post is refused: $said"
  record=$(text_of uri <<< "$said")
  record=${record##*/}
}
