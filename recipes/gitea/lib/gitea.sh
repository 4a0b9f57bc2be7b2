# Sourced by this recipe's scripts: people, requests in their names, and git. A script names its repository in $repo.
. "$CCCI_SH"
headers=('Content-Type: application/json')

# add_user NAME [GITEA'S ARGUMENTS]: $password and $token of a new person. gitea takes a first password in
# its arguments and no other way, so it makes one itself, and nobody else ever has that one.
add_user() {
  password=$("$CCCI_EXEC" app -- gitea admin user create --username "$1" --email "$1@example.org" --random-password \
    --must-change-password=false "${@:2}" | sed -n "s/^generated random password is '\(.*\)'$/\1/p" | grep .) ||
    fail "gitea makes no user $1 with a password"
  give_token "$1"
}

# give_token NAME: $token of a person who is there.
give_token() {
  token=$("$CCCI_EXEC" app -- gitea admin user generate-access-token --username "$1" \
    --token-name "ci-$(random_hex 4)" --scopes all --raw | grep -oE '^[0-9a-f]{40}$') || fail "gitea makes no token for $1"
}

# ask METHOD PATH [CURL ARGUMENTS]: the answer's body, in the name of $token.
ask() {
  call_as "Authorization: token $token" "$@"
}

# database: gitea's database says something to the statements on standard input. sqlite is a file in gitea's own container.
database() {
  if [ -n "$CCCI_DATABASE" ]; then sql "$CCCI_DATABASE"; return; fi
  # shellcheck disable=SC2016 # the container's shell reads it
  "$CCCI_EXEC" app -- sh -c \
    'exec sqlite3 -cmd ".timeout 20000" "$(sed -n "s/^PATH *= *//p" "${GITEA_APP_INI:-/etc/gitea/app.ini}" | head -n 1)"'
}

# number_in JSON: the number of the issue or the pull request that it is about.
number_in() {
  grep -o '"number":[0-9]*' <<< "$1" | cut -d: -f2
}

# clone_as NAME: $repo in a new folder, to work there. From here on git is this person's, with $token.
clone_as() {
  git_as "$1" "$token"
  work_in_new_folder
  git clone --quiet "$CCCI_URL/$repo.git" .
}

# save MESSAGE: commits what is in the folder, pushes it, and waits until the server's main is this $commit.
save() {
  git add .
  git commit --quiet --message "$1"
  git push --quiet origin main
  commit=$(git rev-parse HEAD)
  eventually has_commit "$commit" main > /dev/null
}

# has_commit COMMIT BRANCH: it is the server's newest one there. git has it as soon as a push ends, the database a moment later.
has_commit() {
  holds "the server's $2 of $repo" "$(ask GET "/api/v1/repos/$repo/branches/$2")" "\"id\":\"$1\""
}
