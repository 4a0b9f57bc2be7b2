#!/bin/bash
# gitea.sh run                 gitea, and gitea again after a restore: the container's program
# gitea.sh answers             whether it serves requests: the healthcheck
# gitea.sh backup|tidy|restore hooks of the backup bot, in this container
set -euo pipefail

data=/var/lib/gitea/data
database=$data/gitea.db
# Copies of everything that a backup holds, for as long as the bot reads them.
copy=/var/lib/gitea/backup
# A copy under this name takes the place of the live data before the next start, so that a restore
# which is cut short is finished by whatever start comes first.
incoming=/var/lib/gitea/incoming
parts=(repositories attachments avatars repo-avatars lfs packages)

run() {
  ending=
  child=
  trap 'ending=yes; end' TERM INT
  trap end HUP
  while [ -z "$ending" ]; do
    [ ! -d "$incoming" ] || take_in
    [ -z "$ending" ] || exit 0
    gitea web &
    child=$!
    # A signal ends `wait` before gitea has ended.
    while kill -0 "$child" 2> /dev/null; do
      status=0
      wait "$child" || status=$?
    done
    [ -d "$incoming" ] || exit "$status"
  done
}

end() {
  [ -z "$child" ] || kill "$child" 2> /dev/null || true
}

take_in() {
  mkdir -p "$data"
  # The old log first: it would be read into the new database.
  rm -f "$database-wal" "$database-shm" "$database-journal"
  for part in "${parts[@]}"; do
    # What was moved before a start was cut short is in its place already.
    [ -d "$incoming/$part" ] || continue
    rm -rf "${data:?}/$part"
    mv "$incoming/$part" "$data/$part"
  done
  [ ! -e "$incoming/gitea.db" ] || mv -f "$incoming/gitea.db" "$database"
  # Made from the database, and wrong for another one.
  rm -rf "$data/indexers" "$data/queues" "$incoming"
}

answers() {
  curl --silent --fail --max-time 4 http://127.0.0.1:3000/api/healthz > /dev/null
}

# The database first: what repositories have that it does not know is harmless, the reverse is not. Another one than
# sqlite dumps itself in its own container.
backup() {
  rm -rf "$copy" "$copy.part"
  mkdir "$copy.part"
  if [ -e "$database" ]; then sqlite3 -cmd '.timeout 20000' "$database" "VACUUM INTO '$copy.part/gitea.db'"; fi
  local part
  for part in "${parts[@]}"; do
    mkdir -p "$data/$part" "$copy.part/$part"
  done
  # Second names for the same files, which is quick: git and gitea replace files and never change
  # them. First what points at objects and then the objects, or a push between would leave nothing
  # behind a pointer.
  (cd "$data" && find repositories -depth \( -name refs -o -name packed-refs -o -name HEAD \) -path '*.git/*' \
    -exec cp --archive --link --no-clobber --parents --target-directory "$copy.part" {} +)
  for part in "${parts[@]}"; do
    cp --archive --link --no-clobber "$data/$part/." "$copy.part/$part"
  done
  mv "$copy.part" "$copy"
}

tidy() {
  rm -rf "$copy"
}

restore() {
  [ -d "$copy" ] || { echo "the snapshot brought no $copy" >&2; exit 1; }
  if [ "$GITEA_DB_TYPE" = sqlite3 ]; then
    [ -e "$copy/gitea.db" ] || { echo "the snapshot brought no $copy/gitea.db" >&2; exit 1; }
    verdict=$(sqlite3 "$copy/gitea.db" 'PRAGMA quick_check(1)')
    [ "$verdict" = ok ] || { echo "$copy/gitea.db is damaged: $verdict" >&2; exit 1; }
  fi
  rm -rf "$incoming"
  mv "$copy" "$incoming"
  kill -HUP 1
  left=240
  while [ -d "$incoming" ] || ! answers; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "gitea does not answer after the restore; its log says why" >&2; exit 1; }
    sleep 0.5
  done
}

case "${1:-}" in
  run | answers | backup | tidy | restore) "$1" ;;
  *) echo "usage: gitea.sh run|answers|backup|tidy|restore" >&2; exit 2 ;;
esac
