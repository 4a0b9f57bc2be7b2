# What the tests share. It has no run bit, so it is no test.
page() { curl -sS --fail --resolve "$CCCI_RESOLVE" "$CCCI_URL$1"; }
fail() { printf '%s\n' "$*"; exit 1; }
