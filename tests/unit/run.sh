#!/bin/sh
# Runs each unit test program; its own output is shown when it fails. Ends with one summary line.
set -u
passed=0
failed=0
for program in "$@"; do
	if output=$("$program" 2>&1); then
		count=$(printf '%s\n' "$output" | sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' | tail -n 1)
		passed=$((passed + ${count:-0}))
	else
		printf '%s\n' "$output"
		echo "FAILED: $program"
		failed=$((failed + 1))
	fi
done
echo "unit: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
