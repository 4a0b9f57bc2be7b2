//! The data set of a scaffold: a row where there is a database, a file where there is only a volume.
//! It proves backup and restore from the first run on; rows that the app itself makes are better.

use super::seen::{Database, Engine, Seen};

/// Seed, wipe and check, each with its text; none where nothing safe can be written.
pub(super) fn data(seen: &Seen) -> Option<[(&'static str, String); 3]> {
    match (&seen.database, &seen.folder) {
        (Some(database), _) => Some(rows(database)),
        (None, Some((service, folder))) => Some(file(service, folder)),
        (None, None) => None,
    }
}

fn script(what: &str, body: &str) -> String {
    format!("#!/usr/bin/env bash\n# {what}\nset -euo pipefail\n\n{body}")
}

/// A table of our own: it is dumped and restored with the app's.
fn rows(database: &Database) -> [(&'static str, String); 3] {
    let client = match database.engine {
        Engine::Postgres => {
            "PGPASSWORD=\"${POSTGRES_PASSWORD:-$(cat \"${POSTGRES_PASSWORD_FILE:-/dev/null}\")}\" \
             exec psql -h 127.0.0.1 -qtA -v ON_ERROR_STOP=1 -U \"${POSTGRES_USER:-postgres}\" -d \"${POSTGRES_DB:-${POSTGRES_USER:-postgres}}\" -c \"$1\""
        }
        Engine::Mariadb => {
            "MYSQL_PWD=\"${MYSQL_PASSWORD:-${MARIADB_PASSWORD:-$(cat \"${MYSQL_PASSWORD_FILE:-${MARIADB_PASSWORD_FILE:-/dev/null}}\")}}\" \
             exec \"$(command -v mariadb || command -v mysql)\" -N -u \"${MYSQL_USER:-$MARIADB_USER}\" \"${MYSQL_DATABASE:-$MARIADB_DATABASE}\" -e \"$1\""
        }
    };
    let sql = |statement: &str| {
        format!(
            "\"$CCCI_ABRA\" app run -n \"$CCCI_DOMAIN\" {} -- sh -c \\\n  '{client}' \\\n  sh \"{statement}\"\n",
            database.service
        )
    };
    let seed = format!(
        "mark=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')\n{}printf 'seed_mark=%s\\n' \"$mark\" >> \"$CCCI_WORK/variables\"\necho \"a row with $mark\"\n",
        sql(
            "DROP TABLE IF EXISTS ccci_seed; CREATE TABLE ccci_seed (mark varchar(40)); INSERT INTO ccci_seed VALUES ('$mark')"
        )
    );
    let wipe = format!("{}echo \"the table is gone\"\n", sql("DROP TABLE ccci_seed"));
    let check = format!(
        "found=$({})\nif [ \"$(printf '%s' \"$found\" | tr -d '\\r' | tail -n 1)\" != \"$seed_mark\" ]; then\n  echo \"wanted the row $seed_mark, got: $found\" >&2\n  exit 1\nfi\necho \"the row $seed_mark is there\"\n",
        sql("SELECT mark FROM ccci_seed").trim_end()
    );
    [
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
    let run = |command: &str| {
        format!("\"$CCCI_ABRA\" app run -n \"$CCCI_DOMAIN\" {service} -- sh -c '{command}' sh {path} \"${{mark:-}}\"\n")
    };
    let seed = format!(
        "mark=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')\n{}printf 'seed_mark=%s\\n' \"$mark\" >> \"$CCCI_WORK/variables\"\necho \"a file with $mark\"\n",
        run("printf %s \"$2\" > \"$1\"")
    );
    let wipe = format!("{}echo \"the file is gone\"\n", run("rm \"$1\""));
    let check = format!(
        "found=$({})\nif [ \"$(printf '%s' \"$found\" | tr -d '\\r')\" != \"$seed_mark\" ]; then\n  echo \"wanted the file to say $seed_mark, got: $found\" >&2\n  exit 1\nfi\necho \"the file with $seed_mark is there\"\n",
        run("cat \"$1\"").trim_end()
    );
    [
        ("data/seed.sh", script("A file in a volume. Data that the app itself makes over its API is better.", &seed)),
        ("data/wipe.sh", script("What a lost volume loses.", &wipe)),
        ("data/check.sh", script("Green while the file is there, red when it is not.", &check)),
    ]
}
