# What the shell tests of every recipe may use: `. "$CCCI_SH"`. Secrets go through files and pipes, never through
# a program's argument list, which everyone on the machine can read.

# random_hex BYTES
random_hex() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# remember NAME VALUE: for the tests that run later.
remember() {
  printf '%s=%s\n' "$1" "$2" >> "$CCCI_WORK/variables"
}

# remember_all NAME=VALUE…: the same for several at once.
remember_all() {
  printf '%s\n' "$@" >> "$CCCI_WORK/variables"
}

# work_in_new_folder: goes into an empty folder, which is deleted when the script ends.
work_in_new_folder() {
  new_folders+=("$(mktemp -d "$CCCI_WORK/folder.XXXXXX")")
  trap 'rm -rf "${new_folders[@]}"' EXIT
  cd "${new_folders[-1]}"
}

# fail TEXT…: ends the test; the text is what a report shows.
fail() {
  echo "$*" >&2
  exit 1
}

# call METHOD PATH [CURL ARGUMENTS]: the body of the app's answer; fails when the app refuses. $headers, an array,
# goes with each call.
call() {
  local method=$1 path=$2 header
  shift 2
  for header in ${headers[@]+"${headers[@]}"}; do set -- "$@" --header "$header"; done
  curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
    --request "$method" "$@" "$CCCI_URL$path"
}

# call_as HEADER METHOD PATH [CURL ARGUMENTS]: the same with a header that is secret.
call_as() {
  local secret=$1
  shift
  call "$@" --header @<(printf '%s\n' "$secret")
}

# git_as NAME PASSWORD: git is this person's from here on, and trusts the app as `call` does. What it has to know reaches it
# by its environment, which no argument list shows; the machine's own settings do not.
git_as() {
  local at settings=("user.name=$1" "user.email=$1@example.org" init.defaultBranch=main "http.sslCAInfo=$CCCI_CA"
    "http.extraHeader=Authorization: Basic $(printf '%s:%s' "$1" "$2" | base64 --wrap 0)")
  if [ -n "${CCCI_RESOLVE:-}" ]; then settings+=("http.curloptResolve=$CCCI_RESOLVE"); fi
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=${#settings[@]}
  for at in "${!settings[@]}"; do
    export "GIT_CONFIG_KEY_$at=${settings[at]%%=*}" "GIT_CONFIG_VALUE_$at=${settings[at]#*=}"
  done
}

# For `call … "${json[@]}"`: the JSON on standard input is sent.
json=(--header 'Content-Type: application/json' --data-binary @-)

# text_of KEY: the first string under that key in the JSON on standard input.
text_of() {
  grep -o "\"$1\" *: *\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'
}

# cookie_of NAME: a cookie's value in the headers on standard input, as `call … --include` prints them.
cookie_of() {
  tr -d '\r' | sed -n "s/^set-cookie: $1=\([^;]*\);.*/\1/Ip"
}

# published PORT: where that TCP port of the app is reached from here, as host:port.
published() {
  local entry
  for entry in ${CCCI_PORTS:-}; do
    case $entry in
      "$1/tcp="*) printf '%s' "${entry#*=}"; return ;;
    esac
  done
  fail "the app publishes no port $1; it publishes '${CCCI_PORTS:-}'"
}

# holds WHAT TEXT WANTED…: fails the test where the text lacks one of them.
holds() {
  local what=$1 text=$2 wanted
  shift 2
  for wanted in "$@"; do
    grep -qF -- "$wanted" <<< "$text" || fail "$what lacks $wanted: ${text:0:400}"
  done
}

# refused WHAT WANTED COMMAND…: fails the test where the command succeeds, or is refused in other words.
refused() {
  local what=$1 wanted=$2 said
  shift 2
  if said=$("$@" 2>&1); then fail "$what was accepted: ${said:0:400}"; fi
  grep -qiE -- "$wanted" <<< "$said" || fail "$what was refused, but not with $wanted: ${said:0:400}"
}

# denied WHAT STATUS WANTED COMMAND…: fails the test where a `call` is accepted, or is refused with another HTTP status
# or in other words.
denied() {
  local what=$1 status=$2 wanted=$3 said
  shift 3
  if said=$("$@" 2>&1); then fail "$what was accepted: ${said:0:400}"; fi
  holds "$what was refused, and the answer" "$said" "error: $status" "$wanted"
}

# eventually COMMAND…: what it prints as soon as it succeeds, for what an app does after its answer. Red after 20 s.
eventually() {
  local said end=$((SECONDS + 20))
  until said=$("$@" 2>&1); do
    [ "$SECONDS" -lt "$end" ] || fail "not within 20 s: ${said:0:400}"
    sleep 0.25
  done
  printf '%s\n' "$said"
}

# version_is APP VERSION [NUMBERS]: the version that answers is the deployed one, as far as its label says it. The label
# 1.3.0+v1.26.0-3 is 1.26.0, and 1.1.1+6-alpine is any 6. NUMBERS is how many the app tells, where it does not tell all.
version_is() {
  local wanted=${CCCI_VERSION#*+}
  wanted=${wanted#v}
  wanted=$(cut -d. -f"1-${3:-9}" <<< "${wanted%%-*}")
  case $2. in
    "$wanted".*) echo "version $CCCI_VERSION is deployed and $1 $2 answers" ;;
    *) fail "version $CCCI_VERSION is deployed, so $1 $wanted should answer; it says '$2'" ;;
  esac
}

# recipe_files: the folder with the files of the recipe as it is tested: compose.yml, .env.sample, …
recipe_files() {
  printf '%s' "$(dirname "$CCCI_ENV_FILE")/../../recipes/$CCCI_RECIPE"
}

# set_app SETTING VALUE: a setting of the app, by the variable from which the compose files take it.
set_app() {
  local name
  name=$(cat "$(recipe_files)"/compose*.yml | sed -n "s/.*$1[=:] *[\"']\{0,1\}\${\([A-Za-z0-9_]*\).*/\1/p" | head -n 1)
  [ -n "$name" ] || fail "the compose files take $1 from no variable, and a test run needs it to be $2"
  printf '%s=%s\n' "$name" "$2" >> "$CCCI_ENV_FILE"
}

# insert_secret NAME VALUE: into the app's secrets, by abra.
insert_secret() (
  umask 077
  file=$(mktemp "$CCCI_WORK/secret.XXXXXX")
  trap 'rm -f "$file"' EXIT
  printf '%s' "$2" > "$file"
  "$CCCI_ABRA" app secret insert "$CCCI_DOMAIN" "$1" v1 "$file" --file --chaos --offline --no-input > /dev/null
)

# sql SERVICE [STATEMENT]: what the PostgreSQL or MariaDB of that service says to the statement, or to those on standard
# input. Names stand in double quotes, texts in single ones. Who it is, it knows by the settings of its own container; the
# loopback address keeps the statement away from the server that images start to set themselves up.
sql() {
  # shellcheck disable=SC2016 # the container's shell reads it
  "$CCCI_EXEC" "$1" -- sh -c '
    value() {
      for name in "$@"; do
        eval "given=\${$name:-} file=\${${name}_FILE:-}"
        if [ -z "$given" ] && [ -n "$file" ]; then given=$(cat "$file"); fi
        if [ -n "$given" ]; then break; fi
      done
      printf %s "$given"
    }
    if command -v psql > /dev/null; then
      user=$(value POSTGRES_USER POSTGRESQL_USERNAME)
      user=${user:-postgres}
      database=$(value POSTGRES_DB POSTGRESQL_DATABASE)
      PGPASSWORD=$(value POSTGRES_PASSWORD POSTGRESQL_PASSWORD)
      export PGPASSWORD
      exec psql -h 127.0.0.1 -qtA -v ON_ERROR_STOP=1 -U "$user" -d "${database:-$user}" ${1:+-c "$1"}
    fi
    user=$(value MYSQL_USER MARIADB_USER)
    MYSQL_PWD=$(value MYSQL_PASSWORD MARIADB_PASSWORD)
    if [ -z "$user" ]; then
      user=root
      MYSQL_PWD=$(value MYSQL_ROOT_PASSWORD MARIADB_ROOT_PASSWORD)
    fi
    export MYSQL_PWD
    exec "$(command -v mariadb || command -v mysql)" -h 127.0.0.1 -N -u "$user" \
      --init-command="SET SESSION sql_mode = CONCAT(@@sql_mode, \",ANSI_QUOTES\")" \
      "$(value MYSQL_DATABASE MARIADB_DATABASE)" ${1:+-e "$1"}
  ' sh "${2:-}"
}

# wait_for_sql SERVICE: until it takes statements. It may start later than the app answers.
wait_for_sql() {
  local said end=$((SECONDS + 120))
  until said=$(sql "$1" "SELECT 1" 2>&1); do
    [ "$SECONDS" -lt "$end" ] || fail "the database takes no statement after 120 s: $said"
    sleep 1
  done
}

# have_mailbox SERVICE: a mail server for the app, on port 2525 of the container's own 127.0.0.1, which keeps the last mail
# to each address. For images with Node. Another deploy ends it, so each test that wants mail asks for it.
have_mailbox() {
  local said
  said=$("$CCCI_EXEC" "$1" -- node -e '
    const box = require("child_process").spawn(process.execPath, ["-e", process.argv[1]],
      { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    box.stdout.once("data", (told) => process.stdout.write(told, () => process.exit()));
    box.once("exit", () => process.exit());' "$(cat "${CCCI_SH%/*}/mailbox.js")")
  [ "$said" = there ] || fail "there is no server for mail in the container of $1: ${said:-it ended}"
}

# mail_to SERVICE ADDRESS: the last mail.
mail_to() {
  "$CCCI_EXEC" "$1" -- cat "/tmp/mail-$2" || fail "$1 has sent no mail to $2"
}
