#!/usr/bin/env bash
# The n8n that answers is the one that the deployed version names: 1.3.0+1.100.1-3 is 1.100.1.
set -euo pipefail
# shellcheck source=../lib/n8n.sh
. "$(dirname "$0")/../lib/n8n.sh"

upstream=${CCCI_VERSION#*+}
wanted=${upstream%%-*}
version=$(ask GET /rest/settings | grep -o '"versionCli":"[^"]*"' | cut -d'"' -f4)
if [ "$version" != "$wanted" ]; then
  echo "version $CCCI_VERSION is deployed, so n8n $wanted should answer; it says '$version'" >&2
  exit 1
fi
echo "version $CCCI_VERSION is deployed and n8n $version answers"
