# Sourced by this recipe's scripts: users, and requests with a token.
. "$CCCI_SH"

# add_user NAME: through the server's own tool and its registration secret. The password, which is
# made in the container so that it enters no argument list here, is in $password afterwards.
add_user() {
  local said
  if ! said=$("$CCCI_EXEC" app -- sh -c '
    umask 077
    file=$(mktemp)
    od -An -N16 -tx1 /dev/urandom | tr -d " \n" > "$file"
    register_new_matrix_user -c "${SYNAPSE_CONFIG_PATH:-/data/homeserver.yaml}" \
      -u "$1" --password-file "$file" --no-admin http://127.0.0.1:8008 || exit
    echo "password=$(cat "$file")"
    rm "$file"' sh "$1"); then
    fail "$said"
  fi
  password=$(sed -n 's/^password=//p' <<< "$said")
  [ -n "$password" ] || fail "$1 was registered and no password came back"
}

# request TOKEN METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
request() {
  call_as "Authorization: Bearer $1" "${@:2}"
}

# login NAME PASSWORD: the token.
login() {
  printf '{"type":"m.login.password","identifier":{"type":"m.id.user","user":"%s"},"password":"%s"}' "$1" "$2" |
    call POST /_matrix/client/v3/login "${json[@]}" | text_of access_token
}

# in_path TEXT: a Matrix id as a part of a path.
in_path() {
  printf '%s' "$1" | sed 's/%/%25/g; s/!/%21/g; s/#/%23/g; s/:/%3A/g; s/@/%40/g; s#/#%2F#g; s/\$/%24/g'
}
