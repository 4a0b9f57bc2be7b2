#!/usr/bin/env bash
# Wants what the recipe does not have.
echo "looking for the imprint"
echo "the page has no imprint" >&2
exit 3
