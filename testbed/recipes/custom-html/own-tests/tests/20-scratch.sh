#!/usr/bin/env bash
# A test has a scratch folder of its own, and a small Python.
set -euo pipefail
echo '{"pages": 3}' >/tmp/facts.json
[ "$(jq .pages /tmp/facts.json)" = 3 ]
python3 -c 'import ssl, sys; sys.exit(0)' 2>/dev/null || echo "(Python without ssl)"
echo "scratch space works"
