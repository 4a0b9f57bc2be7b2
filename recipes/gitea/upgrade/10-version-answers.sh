#!/usr/bin/env bash
# The gitea that answers is the one that the deployed version names: 1.3.0+1.26.0-3 is 1.26.0.
set -euo pipefail

upstream=${CCCI_VERSION#*+}
wanted=${upstream%%-*}
version=$(curl -sS --fail-with-body --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
  "$CCCI_URL/api/v1/version" | grep -o '"version" *: *"[^"]*"' | cut -d'"' -f4)
if [ "$version" != "$wanted" ]; then
  echo "version $CCCI_VERSION is deployed, so gitea $wanted should answer; it says '$version'" >&2
  exit 1
fi
echo "version $CCCI_VERSION is deployed and gitea $version answers"
