#!/usr/bin/env bash
# Is not whole.
if true; then
