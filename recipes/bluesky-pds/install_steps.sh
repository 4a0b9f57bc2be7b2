#!/usr/bin/env bash
# Registers the accounts of tests with the run's own directory. Without a way to say so there is no run: what the public
# one is told stays for ever.
set -euo pipefail

recipe=$(dirname "$CCCI_ENV_FILE")/../../recipes/$CCCI_RECIPE
# set SETTING VALUE: in the variable that the compose files take it from.
set_pds() {
  local name
  name=$(cat "$recipe"/compose*.yml | sed -n "s/.*$1[=:] *[\"']\{0,1\}\${\([A-Za-z0-9_]*\).*/\1/p" | head -n 1)
  [ -n "$name" ] || { echo "the compose files have no variable for $1, and its value must not be the usual one" >&2; exit 1; }
  printf '%s=%s\n' "$name" "$2" >> "$CCCI_ENV_FILE"
}

directory=$(tr -d '\n' < "$CCCI_DEPS_FILE" | sed -n 's/.*"did-plc" *: *{[^{}]*"url" *: *"\([^"]*\)".*/\1/p')
[ -n "$directory" ] || { echo "the run has no directory of identities" >&2; exit 1; }
set_pds PDS_DID_PLC_URL "$directory"
# The local world's addresses are private ones.
set_pds PDS_DISABLE_SSRF_PROTECTION true
case $CCCI_DOMAIN in
  # No handle may end so.
  *.localhost | *.local | *.internal | *.invalid | *.example) set_pds PDS_SERVICE_HANDLE_DOMAINS .test ;;
esac
printf 'directory=%s\n' "$directory" >> "$CCCI_WORK/variables"
echo "identities are registered with $directory"
