#!/usr/bin/env bash
# The nginx that answers is the one that the deployed version names.
set -euo pipefail
. "$CCCI_SH"

version_is nginx "$(call GET / --output /dev/null --dump-header - | tr -d '\r' | sed -n 's/^[Ss]erver: *nginx\/\([0-9.]*\).*/\1/p')"
