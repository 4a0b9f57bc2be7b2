#!/usr/bin/env bash
# Registers the accounts of tests with the run's own directory. Without a way to say so there is no run: what the public
# one is told stays for ever.
set -euo pipefail

. "$CCCI_SH"

directory=$(tr -d '\n' < "$CCCI_DEPS_FILE" | sed -n 's/.*"did-plc" *: *{[^{}]*"url" *: *"\([^"]*\)".*/\1/p')
[ -n "$directory" ] || fail "the run has no directory of identities"
set_app PDS_DID_PLC_URL "$directory"
# The local world's addresses are private ones.
set_app PDS_DISABLE_SSRF_PROTECTION true
case $CCCI_DOMAIN in
  # No handle may end so.
  *.localhost | *.local | *.internal | *.invalid | *.example) set_app PDS_SERVICE_HANDLE_DOMAINS .test ;;
esac
remember directory "$directory"
echo "identities are registered with $directory"
