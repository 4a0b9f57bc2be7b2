#!/usr/bin/env bash
# Restored pages can still be read by nginx's own user: a page of mode 600 would be a 403.
set -euo pipefail

mode=$("$CCCI_EXEC" app -- stat -c '%a' "/usr/share/nginx/html/$seeded/page.html")
if [ "$mode" != 644 ]; then
  echo "page.html was written with mode 644 and came back with mode '$mode'" >&2
  exit 1
fi
echo "page.html came back with mode $mode"
