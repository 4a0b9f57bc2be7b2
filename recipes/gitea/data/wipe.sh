#!/usr/bin/env bash
# What a lost disk takes, under the running gitea: rows of the database, and every folder with data.
set -euo pipefail

"$CCCI_EXEC" app -- sh -c '
  set -eu
  data=/var/lib/gitea/data
  sqlite3 -cmd ".timeout 20000" "$data/gitea.db" "DELETE FROM repository; DELETE FROM user; DELETE FROM access_token;
    DELETE FROM issue; DELETE FROM attachment; DELETE FROM package; DELETE FROM package_version"
  for part in repositories attachments packages lfs avatars; do
    if [ -d "$data/$part" ]; then find "$data/$part" -mindepth 1 -delete; fi
  done'
echo "people, repositories, issues, attachments and packages are gone"
