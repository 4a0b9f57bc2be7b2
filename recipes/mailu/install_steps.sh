#!/usr/bin/env bash
# Addresses end with the app's own name, and mail goes without TLS: the certificate for the mail ports would be one that
# traefik has from an authority, and a test run has none from there.
set -euo pipefail

{
  printf '%s=%s\n' MAIL_DOMAIN "$CCCI_DOMAIN" HOSTNAMES "$CCCI_DOMAIN" TLS_FLAVOR notls
  # Where a service copies traefik's certificates from: never from the server's own volume.
  printf '%s=%s\n' TRAEFIK_STACK_NAME "$CCCI_STACK"
} >> "$CCCI_ENV_FILE"
echo "addresses end with $CCCI_DOMAIN"
