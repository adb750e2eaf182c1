#!/usr/bin/env bash
# Our published vectors are read by code that shares nothing with ours.
. "$(dirname "$0")/../e2e/lib.sh"
export PYTHONDONTWRITEBYTECODE=1

# Says ok or not ok for each file by itself.
/usr/bin/python3 tests/interop/reader.py vectors tests/vectors || failures=1
