#!/usr/bin/env bash
# Every page goes, the image's own too.
set -euo pipefail

"$CCCI_ABRA" app run -n "$CCCI_DOMAIN" app -- sh -c 'rm -rf /usr/share/nginx/html/* && ls -A /usr/share/nginx/html | wc -l' > "$CCCI_WORK/wiped"
echo "the folder of pages has $(tr -d '\r' < "$CCCI_WORK/wiped" | tail -n 1) entries left"
