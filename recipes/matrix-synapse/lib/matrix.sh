# Sourced by this recipe's scripts: users, and requests with a token.

# random_hex BYTES
random_hex() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

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
    echo "$said" >&2
    return 1
  fi
  password=$(sed -n 's/^password=//p' <<< "$said")
  if [ -z "$password" ]; then
    echo "$1 was registered and no password came back" >&2
    return 1
  fi
}

# ask PATH: what anybody is answered there.
ask() {
  curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} "$CCCI_URL$1"
}

# request TOKEN METHOD PATH [CURL ARGUMENTS]: the answer's body; fails when the server refuses.
# The token goes through a file: an argument list can be read by anybody on the machine.
request() {
  local token=$1 method=$2 path=$3
  shift 3
  curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" \
    ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
    --header @<(printf 'Authorization: Bearer %s\n' "$token") --request "$method" "$@" "$CCCI_URL$path"
}

# login NAME PASSWORD: the token.
login() {
  printf '{"type":"m.login.password","identifier":{"type":"m.id.user","user":"%s"},"password":"%s"}' "$1" "$2" |
    curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" \
      ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
      --header 'Content-Type: application/json' --data-binary @- "$CCCI_URL/_matrix/client/v3/login" |
    text_of access_token
}

# text_of KEY: the first string under that key in the JSON on standard input.
text_of() {
  grep -o "\"$1\" *: *\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'
}

# in_path TEXT: a Matrix id as a part of a path.
in_path() {
  printf '%s' "$1" | sed 's/%/%25/g; s/!/%21/g; s/#/%23/g; s/:/%3A/g; s/@/%40/g; s#/#%2F#g; s/\$/%24/g'
}

# remember NAME VALUE: for the tests that run later.
remember() {
  printf '%s=%s\n' "$1" "$2" >> "$CCCI_WORK/variables"
}
