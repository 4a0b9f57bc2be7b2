#!/usr/bin/env bash
# The Ghost that answers is the one that the deployed version names, as far as either says it: of 1.2.0+6.65.0-3 Ghost
# tells 6.65, and 1.1.1+6-alpine names 6 alone.
set -euo pipefail
# shellcheck source=../lib/ghost.sh
. "$(dirname "$0")/../lib/ghost.sh"

upstream=${CCCI_VERSION#*+}
wanted=$(cut -d. -f1,2 <<< "${upstream%%-*}")
version=$(ask GET /ghost/api/admin/site/ | text_of version)
case $version. in
  "$wanted".*) echo "version $CCCI_VERSION is deployed and Ghost $version answers" ;;
  *)
    echo "version $CCCI_VERSION is deployed, so Ghost $wanted should answer; it says '$version'" >&2
    exit 1
    ;;
esac
