//! The data set of a scaffold: a row where there is a database, a file where there is only a volume.
//! It proves backup and restore from the first run on; rows that the app itself makes are better.

use super::seen::{Database, ScaffoldInput};

/// Seed, wipe and check, and what they share, each with its text; none where nothing safe can be written.
pub(super) fn data(seen: &ScaffoldInput) -> Option<Vec<(&'static str, String)>> {
    match (&seen.database, &seen.folder) {
        (Some(database), _) => Some(rows(database)),
        (None, Some((service, folder))) => Some(file(service, folder).into()),
        (None, None) => None,
    }
}

fn script(what: &str, body: &str) -> String {
    format!("#!/usr/bin/env bash\n# {what}\nset -euo pipefail\n\n{body}")
}

/// A table of our own: it is dumped and restored with the app's.
fn rows(database: &Database) -> Vec<(&'static str, String)> {
    let with_library = |body: &str| format!(". \"$CCCI_SH\"\n\n{}", body.replace("SERVICE", &database.service));
    let seed = with_library(
        "wait_for_sql SERVICE\nmark=$(random_hex 8)\n\
         sql SERVICE \"DROP TABLE IF EXISTS ccci_seed; CREATE TABLE ccci_seed (mark varchar(40)); INSERT INTO ccci_seed VALUES ('$mark')\"\n\
         remember seed_mark \"$mark\"\necho \"a row with $mark\"\n",
    );
    let wipe = with_library("sql SERVICE \"DROP TABLE ccci_seed\"\necho \"the table is gone\"\n");
    let check = with_library(
        "wait_for_sql SERVICE\nfound=$(sql SERVICE \"SELECT mark FROM ccci_seed\")\n\
         [ \"$found\" = \"$seed_mark\" ] || fail \"wanted the row $seed_mark, got: $found\"\necho \"the row $seed_mark is there\"\n",
    );
    vec![
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
        ". \"$CCCI_SH\"\n\nmark=$(random_hex 8)\n{}remember seed_mark \"$mark\"\necho \"a file with $mark\"\n",
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
