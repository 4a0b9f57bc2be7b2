#!/usr/bin/env bash
# A folder of this seed's own, with a page and a picture's worth of bytes.
set -euo pipefail
. "$CCCI_SH"

mark=$(random_hex 8)
name="seed-$mark"

"$CCCI_EXEC" app -- \
  sh -c 'mkdir -p "$1" && printf "<html><title>%s</title></html>\n" "$2" > "$1/page.html" && head -c 100000 /dev/urandom > "$1/picture.bin" && chmod 755 "$1" && chmod 644 "$1"/*' \
  sh "/usr/share/nginx/html/$name" "$mark"
remember seeded "$name"
remember seeded_mark "$mark"
remember seeded_sha256 "$(call GET "/$name/picture.bin" | sha256sum | cut -d' ' -f1)"
echo "wrote $name with a page and 100000 random bytes"
