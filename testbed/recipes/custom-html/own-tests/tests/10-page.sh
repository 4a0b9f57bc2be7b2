#!/usr/bin/env bash
# The app answers over TLS that the given authority signed, under its own name.
set -euo pipefail
. tests/lib.sh
[ "$(page /healthz)" = ok ] || fail "/healthz does not say ok"
[ "$CCCI_RECIPE" = custom-html ] || fail "this is $CCCI_RECIPE"
code=$(curl -sS -o /dev/null -w '%{http_code}' --resolve "$CCCI_RESOLVE" "$CCCI_URL/that-nobody-wrote")
[ "$code" = 404 ] || fail "a page that is not there gives $code"
echo "the app at $CCCI_DOMAIN answers in version $CCCI_VERSION"
