#!/usr/bin/env bash
# The Keycloak that answers is the one that the deployed version names: 1.3.0+26.7.3-3 is 26.7.3.
set -euo pipefail
# shellcheck source=../lib/keycloak.sh
. "$(dirname "$0")/../lib/keycloak.sh"

upstream=${CCCI_VERSION#*+}
wanted=${upstream%%-*}
be_admin
version=$(as_admin GET /admin/serverinfo | grep -o '"systemInfo":{"version":"[^"]*"' | cut -d'"' -f6)
if [ "$version" != "$wanted" ]; then
  echo "version $CCCI_VERSION is deployed, so Keycloak $wanted should answer; it says '$version'" >&2
  exit 1
fi
echo "version $CCCI_VERSION is deployed and Keycloak $version answers"
