#!/usr/bin/env bash
# Every page goes, the image's own too.
set -euo pipefail

left=$("$CCCI_EXEC" app -- sh -c 'rm -rf /usr/share/nginx/html/* && ls -A /usr/share/nginx/html | wc -l')
echo "the folder of pages has $left entries left"
