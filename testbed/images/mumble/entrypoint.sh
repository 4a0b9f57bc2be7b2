#!/bin/bash
# What the image of Mumble's developers does with its environment, in our own words, as its README says: each
# MUMBLE_CONFIG_<name>, by a variable or by a secret of that name, is a setting of the server, with neither case nor
# underscores counting. One that the server does not know ends the start. MUMBLE_SUPERUSER_PASSWORD sets that password.
set -euo pipefail

config=/data/mumble_server_config.ini
sample=$(dpkg-query -L mumble-server | grep -m 1 'mumble-server\.ini$')
known=$(sed -nE 's/^;? ?([A-Za-z0-9_]+) ?=.*/\1/p' "$sample" | sort -u)

# given NAME: the value of a secret or a variable; nothing where there is none.
given() {
  if [ -f "/run/secrets/$1" ]; then cat "/run/secrets/$1"; else printf '%s' "${!1:-}"; fi
}

# setting NAME: the server's own spelling.
setting() {
  local wanted=${1//_/} name
  for name in $known; do
    if [ "${name,,}" = "${wanted,,}" ]; then
      echo "$name"
      return
    fi
  done
  if [ "${MUMBLE_ACCEPT_UNKNOWN_SETTINGS:-}" = true ]; then
    echo "$1"
  else
    echo "the server has no setting $1; MUMBLE_ACCEPT_UNKNOWN_SETTINGS=true passes it on" >&2
    exit 1
  fi
}

{
  # A database of an older image keeps its name.
  if [ -e /data/murmur.sqlite ]; then echo "database=/data/murmur.sqlite"; else echo "database=/data/mumble-server.sqlite"; fi
  # No log file: what the container says.
  printf '%s\n' 'logfile=' 'ice=' 'welcometext='
} > "$config.new"
names=$({ compgen -e; ls /run/secrets 2> /dev/null || true; } | grep '^MUMBLE_CONFIG_' | sort -u || true)
for name in $names; do
  key=$(setting "${name#MUMBLE_CONFIG_}")
  sed -i "/^$key=/Id" "$config.new"
  printf '%s=%s\n' "$key" "$(given "$name")" >> "$config.new"
done
mv "$config.new" "$config"

if [ "${1:-}" = mumble-server ] || [ "${1:-}" = /usr/bin/mumble-server ]; then
  program=$1
  shift
  password=$(given MUMBLE_SUPERUSER_PASSWORD)
  # By standard input: an argument could be read by others.
  if [ -n "$password" ]; then printf '%s\n' "$password" | "$program" -ini "$config" -readsupw; fi
  set -- "$program" "$@" -ini "$config"
fi
exec "$@"
