#!/usr/bin/env bash
# The nginx that answers is the one that the deployed version names: 1.3.0+1.22.1-3 is nginx 1.22.1.
set -euo pipefail

upstream=${CCCI_VERSION#*+}
wanted=${upstream%%-*}
server=$(curl -sS --max-time 20 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
  --output /dev/null --dump-header - "$CCCI_URL/" | tr -d '\r' | sed -n 's/^[Ss]erver: *//p')

case "$server" in
  "nginx/$wanted" | "nginx/$wanted "*) echo "version $CCCI_VERSION is deployed and $server answers" ;;
  *)
    echo "version $CCCI_VERSION is deployed, so nginx/$wanted should answer; the Server header says '$server'" >&2
    exit 1
    ;;
esac
