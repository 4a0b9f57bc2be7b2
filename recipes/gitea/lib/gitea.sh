# Sourced by this recipe's scripts: people, requests in their names, and git.
. "$CCCI_SH"
headers=('Content-Type: application/json')

# add_user NAME [GITEA'S ARGUMENTS]: $password and $token of a new person. gitea takes a first password in
# its arguments and no other way, so it makes one itself, and nobody else ever has that one.
add_user() {
  local name=$1 said
  shift
  said=$("$CCCI_EXEC" app -- gitea admin user create --username "$name" \
    --email "$name@example.org" --random-password --must-change-password=false "$@") || fail "gitea makes no user $name: $said"
  password=$(sed -n "s/^generated random password is '\(.*\)'$/\1/p" <<< "$said")
  give_token "$name"
}

# give_token NAME: $token of a person who is there.
give_token() {
  local said
  said=$("$CCCI_EXEC" app -- gitea admin user generate-access-token --username "$1" \
    --token-name "ci-$(random_hex 4)" --scopes all --raw) || fail "gitea makes no token for $1: $said"
  token=$(grep -oE '^[0-9a-f]{40}$' <<< "$said")
}

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body, in the name of $token.
ask() {
  call_as "Authorization: token $token" "$@"
}

# database: gitea's database says something to the statements on standard input. sqlite is a file in gitea's own container.
database() {
  if [ -n "$CCCI_DATABASE" ]; then
    sql "$CCCI_DATABASE"
  else
    # shellcheck disable=SC2016 # the container's shell reads it
    "$CCCI_EXEC" app -- sh -c \
      'exec sqlite3 -cmd ".timeout 20000" "$(sed -n "s/^PATH *= *//p" "${GITEA_APP_INI:-/etc/gitea/app.ini}" | head -n 1)"'
  fi
}

# wait_for_commit REPOSITORY COMMIT [BRANCH]: until the server's main, or this branch, is this commit. git has it as soon as
# the push ends, the database a moment later.
wait_for_commit() {
  eventually has_commit "$1" "$2" "${3:-main}" > /dev/null
}
has_commit() {
  holds "the server's $3 of $1" "$(ask GET "/api/v1/repos/$1/branches/$3")" "\"id\":\"$2\""
}

# number_in JSON: the number of the issue or the pull request that it is about.
number_in() {
  grep -o '"number":[0-9]*' <<< "$1" | cut -d: -f2
}

# save FOLDER MESSAGE REPOSITORY: commits what is in the folder, pushes it, and waits until the server has this $commit.
save() {
  git -C "$1" add .
  git -C "$1" commit --quiet --message "$2"
  git -C "$1" push --quiet "$CCCI_URL/$3.git" main
  commit=$(git -C "$1" rev-parse HEAD)
  wait_for_commit "$3" "$commit"
}

# new_clone FOLDER NAME: an empty repository that pushes and fetches in this person's name, with $token.
# Nothing of the machine's own settings reaches it.
new_clone() {
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0
  rm -rf "$1"
  git init --quiet --initial-branch=main "$1"
  cat >> "$1/.git/config" << CONFIG
[user]
	name = $2
	email = $2@example.org
[http]
	extraHeader = Authorization: Basic $(printf '%s:%s' "$2" "$token" | base64 --wrap=0)
	sslCAInfo = $CCCI_CA
CONFIG
  if [ -n "${CCCI_RESOLVE:-}" ]; then printf '\tcurloptResolve = %s\n' "$CCCI_RESOLVE" >> "$1/.git/config"; fi
}
