#!/usr/bin/env bash
# A folder of this seed's own, with a page and a picture's worth of bytes.
set -euo pipefail

mark=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
name="seed-$mark"

"$CCCI_EXEC" app -- \
  sh -c 'mkdir -p "$1" && printf "<html><title>%s</title></html>\n" "$2" > "$1/page.html" && head -c 100000 /dev/urandom > "$1/picture.bin" && chmod 755 "$1" && chmod 644 "$1"/*' \
  sh "/usr/share/nginx/html/$name" "$mark"
sum=$(curl -sS --fail --max-time 20 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} "$CCCI_URL/$name/picture.bin" | sha256sum | cut -d' ' -f1)

{
  printf 'seeded=%s\n' "$name"
  printf 'seeded_mark=%s\n' "$mark"
  printf 'seeded_sha256=%s\n' "$sum"
} >> "$CCCI_WORK/variables"
echo "wrote $name with a page and 100000 random bytes"
