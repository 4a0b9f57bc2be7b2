#!/usr/bin/env bash
# The Keycloak that answers is the one that the deployed version names.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

be_admin
version_is Keycloak "$(request GET /admin/serverinfo | grep -o '"systemInfo":{"version":"[^"]*"' | cut -d'"' -f6)"
