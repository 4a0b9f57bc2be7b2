#!/usr/bin/env bash
# The server that answers is the one that the deployed version names, as far as that says it: 1.2.0+v0.5.35-3 is 0.5.35,
# and 0.2.0+v0.4 is any of 0.4.
set -euo pipefail
# shellcheck source=../lib/pds.sh
. "$(dirname "$0")/../lib/pds.sh"

upstream=${CCCI_VERSION#*+}
upstream=${upstream#v}
wanted=${upstream%%-*}
version=$(ask GET _health | text_of version)
case $version. in
  "$wanted".*) echo "version $CCCI_VERSION is deployed and PDS $version answers" ;;
  *)
    echo "version $CCCI_VERSION is deployed, so PDS $wanted should answer; it says '$version'" >&2
    exit 1
    ;;
esac
