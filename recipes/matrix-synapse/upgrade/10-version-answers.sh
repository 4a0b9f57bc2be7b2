#!/usr/bin/env bash
# The Synapse that answers is the one that the deployed version names: 1.3.0+v1.163.2-3 is 1.163.2.
set -euo pipefail
# shellcheck source=../lib/matrix.sh
. "$(dirname "$0")/../lib/matrix.sh"

upstream=${CCCI_VERSION#*+}
upstream=${upstream#v}
wanted=${upstream%%-*}
version=$(ask /_matrix/federation/v1/version | text_of version)
if [ "$version" != "$wanted" ]; then
  echo "version $CCCI_VERSION is deployed, so Synapse $wanted should answer; it says '$version'" >&2
  exit 1
fi
echo "version $CCCI_VERSION is deployed and Synapse $version answers"
