#!/usr/bin/env bash
# An image that an author uploads is kept as it was and shown smaller; a page in an image's place is refused.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
file=$CCCI_WORK/dot-$(random_hex 6).gif
dot "$file"
url=$(upload "$file" image/gif | text_of url)
case $url in "$CCCI_URL"/content/images/*) ;; *) fail "the image is at '$url'" ;; esac
trap 'rm -f "$file" "$file.back"' EXIT
path=${url#"$CCCI_URL"}
ask GET "${path%.*}_o.${path##*.}" --output "$file.back"
cmp "$file" "$file.back"
ask GET "$path" --output "$file.back"
[ "$(head -c 6 "$file.back")" = GIF89a ] || fail "what is shown at $path is no image"
[ "$(wc -c < "$file.back")" -lt "$(wc -c < "$file")" ] || fail "the image at $path is as large as what was uploaded"
printf '<script>alert(1)</script>' > "$file"
refused "a page for an image" UnsupportedMediaTypeError upload "$file" text/html
echo "an image is at $path, what was uploaded is kept, and a page in its place is refused"
