# Sourced by this recipe's scripts: users, requests with a token, and rooms.
. "$CCCI_SH"

# add_user NAME: through the server's own tool and its registration secret. The password, which is
# made in the container so that it enters no argument list here, is in $password afterwards.
add_user() {
  local said
  said=$("$CCCI_EXEC" app -- sh -c '
    umask 077
    file=$(mktemp)
    od -An -N16 -tx1 /dev/urandom | tr -d " \n" > "$file"
    register_new_matrix_user -c "${SYNAPSE_CONFIG_PATH:-/data/homeserver.yaml}" \
      -u "$1" --password-file "$file" --no-admin http://127.0.0.1:8008 || exit
    echo "password=$(cat "$file")"
    rm "$file"' sh "$1") || fail "$said"
  password=$(sed -n 's/^password=//p' <<< "$said")
  [ -n "$password" ] || fail "$1 was registered and no password came back"
}

# request TOKEN METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
request() {
  call_as "Authorization: Bearer $1" "${@:2}"
}

# login NAME PASSWORD: the token.
login() {
  local said
  said=$(printf '{"type":"m.login.password","identifier":{"type":"m.id.user","user":"%s"},"password":"%s"}' "$1" "$2" |
    call POST /_matrix/client/v3/login "${json[@]}") || fail "$1 does not get in: $said"
  holds "the login" "$(sed 's/"access_token":"[^"]*"//' <<< "$said")" "\"user_id\":\"@$1:$CCCI_DOMAIN\""
  text_of access_token <<< "$said"
}

# in_path TEXT: a Matrix id as a part of a path.
in_path() {
  printf '%s' "$1" | sed 's/%/%25/g; s/!/%21/g; s/#/%23/g; s/:/%3A/g; s/@/%40/g; s#/#%2F#g; s/\$/%24/g'
}

# new_room TOKEN JSON: $room, its path.
new_room() {
  local id
  id=$(request "$1" POST /_matrix/client/v3/createRoom --data "$2" | text_of room_id)
  [ -n "$id" ] || fail "no room was made"
  room=/_matrix/client/v3/rooms/$(in_path "$id")
}

# write TOKEN JSON: into $room; $event is what was written.
write() {
  local said
  said=$(request "$1" PUT "$room/send/m.room.message/$(random_hex 8)" --data "$2") || fail "no message is taken: $said"
  event=$(text_of event_id <<< "$said")
}

# event_by TOKEN: $event, which is among the last messages of $room, as the one whose token it is reads it.
event_by() {
  holds "$room" "$(request "$1" GET "$room/messages?dir=b&limit=10")" "\"event_id\":\"$event\""
  request "$1" GET "$room/event/$(in_path "$event")"
}

# upload TOKEN NAME TYPE: a file on standard input; where media of that name is, after mxc://.
upload() {
  request "$1" POST "/_matrix/media/v3/upload?filename=$2" --header "Content-Type: $3" --data-binary @- |
    text_of content_uri | sed 's|^mxc://||'
}
