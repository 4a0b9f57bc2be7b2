//! The data set of a scaffold: a row where there is a database, a file where there is only a volume.
//! It proves backup and restore from the first run on; rows that the app itself makes are better.

use coopcloud::database::Engine;

use super::seen::{Database, Seen};

/// Seed, wipe and check, and what they share, each with its text; none where nothing safe can be written.
pub(super) fn data(seen: &Seen) -> Option<Vec<(&'static str, String)>> {
    match (&seen.database, &seen.folder) {
        (Some(database), _) => Some(rows(database)),
        (None, Some((service, folder))) => Some(file(service, folder).into()),
        (None, None) => None,
    }
}

fn script(what: &str, body: &str) -> String {
    format!("#!/usr/bin/env bash\n# {what}\nset -euo pipefail\n\n{body}")
}

/// A database's client, as it is run in its container with the statement as `$1`. `value NAME` gives a setting of the
/// container, or what is in the file that `NAME_FILE` names. The loopback address keeps it away from the server that
/// these images start on a socket alone, to set themselves up.
fn client(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            r#"user=$(value POSTGRES_USER POSTGRESQL_USERNAME)
user=${user:-postgres}
database=$(value POSTGRES_DB POSTGRESQL_DATABASE)
PGPASSWORD=$(value POSTGRES_PASSWORD POSTGRESQL_PASSWORD)
export PGPASSWORD
exec psql -h 127.0.0.1 -qtA -v ON_ERROR_STOP=1 -U "$user" -d "${database:-$user}" -c "$1""#
        }
        Engine::Mariadb => {
            r#"user=$(value MYSQL_USER MARIADB_USER)
MYSQL_PWD=$(value MYSQL_PASSWORD MARIADB_PASSWORD)
if [ -z "$user" ]; then
  user=root
  MYSQL_PWD=$(value MYSQL_ROOT_PASSWORD MARIADB_ROOT_PASSWORD)
fi
export MYSQL_PWD
exec "$(command -v mariadb || command -v mysql)" -h 127.0.0.1 -N -u "$user" "$(value MYSQL_DATABASE MARIADB_DATABASE)" -e "$1""#
        }
    }
}

/// A table of our own: it is dumped and restored with the app's.
fn rows(database: &Database) -> Vec<(&'static str, String)> {
    let library = format!(
        r##"#!/usr/bin/env bash
# The app's database, for the scripts in data/.

# Runs in the container, with the statement as $1.
client='
value() {{
  for name in "$@"; do
    eval "given=\${{$name:-}} file=\${{${{name}}_FILE:-}}"
    if [ -z "$given" ] && [ -n "$file" ]; then given=$(cat "$file"); fi
    if [ -n "$given" ]; then break; fi
  done
  printf %s "$given"
}}
{}
'

# sql STATEMENT: what the database says to it.
sql() {{
  "$CCCI_EXEC" {} -- sh -c "$client" sh "$1"
}}

# Waits until the database takes statements: it may start later than the app answers.
wait_for_database() {{
  local said
  local end=$((SECONDS + 120))
  until said=$(sql "SELECT 1" 2>&1); do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "the database takes no statement after 120 s: $said" >&2
      return 1
    fi
    sleep 1
  done
}}
"##,
        client(database.engine),
        database.service
    );
    let with_library = |body: &str| format!(". \"$(dirname \"$0\")/../lib/database.sh\"\n\n{body}");
    let seed = with_library(
        "wait_for_database\nmark=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')\n\
         sql \"DROP TABLE IF EXISTS ccci_seed; CREATE TABLE ccci_seed (mark varchar(40)); INSERT INTO ccci_seed VALUES ('$mark')\"\n\
         printf 'seed_mark=%s\\n' \"$mark\" >> \"$CCCI_WORK/variables\"\necho \"a row with $mark\"\n",
    );
    let wipe = with_library("sql \"DROP TABLE ccci_seed\"\necho \"the table is gone\"\n");
    let check = with_library(
        "wait_for_database\nfound=$(sql \"SELECT mark FROM ccci_seed\")\n\
         if [ \"$found\" != \"$seed_mark\" ]; then\n  \
         echo \"wanted the row $seed_mark, got: $found\" >&2\n  exit 1\nfi\necho \"the row $seed_mark is there\"\n",
    );
    vec![
        ("lib/database.sh", library),
        (
            "data/seed.sh",
            script("A row in the app's database. Rows that the app itself makes over its API are better.", &seed),
        ),
        ("data/wipe.sh", script("What a lost database loses.", &wipe)),
        ("data/check.sh", script("Green while the row is there, red when it is not.", &check)),
    ]
}

/// A file in a folder that is backed up whole.
fn file(service: &str, folder: &str) -> [(&'static str, String); 3] {
    let path = format!("{}/ccci-seed.txt", folder.trim_end_matches('/'));
    let run = |command: &str| format!("\"$CCCI_EXEC\" {service} -- sh -c '{command}' sh {path} \"${{mark:-}}\"\n");
    let seed = format!(
        "mark=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')\n{}printf 'seed_mark=%s\\n' \"$mark\" >> \"$CCCI_WORK/variables\"\necho \"a file with $mark\"\n",
        run("printf %s \"$2\" > \"$1\"")
    );
    let wipe = format!("{}echo \"the file is gone\"\n", run("rm \"$1\""));
    let check = format!(
        "found=$({})\nif [ \"$found\" != \"$seed_mark\" ]; then\n  echo \"wanted the file to say $seed_mark, got: $found\" >&2\n  exit 1\nfi\necho \"the file with $seed_mark is there\"\n",
        run("cat \"$1\"").trim_end()
    );
    [
        ("data/seed.sh", script("A file in a volume. Data that the app itself makes over its API is better.", &seed)),
        ("data/wipe.sh", script("What a lost volume loses.", &wipe)),
        ("data/check.sh", script("Green while the file is there, red when it is not.", &check)),
    ]
}
