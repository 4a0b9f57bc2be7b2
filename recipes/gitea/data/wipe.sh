#!/usr/bin/env bash
# What a lost disk takes, under the running gitea: rows of the database, and every folder with data.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"

for table in repository user access_token issue attachment package package_version; do echo "DELETE FROM \"$table\";"; done | database
"$CCCI_EXEC" app -- sh -c 'for part in repositories attachments packages lfs avatars; do
    find "${GITEA_WORK_DIR:-/var/lib/gitea}" -type d -name "$part" -prune | while read -r folder; do find "$folder" -mindepth 1 -delete; done
  done'
echo "people, repositories, issues, attachments and packages are gone"
