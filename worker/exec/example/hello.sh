#!/bin/sh
# A CGI script with what a shell has built in: it cannot start other programs.

echo "Content-Type: text/plain"
echo
echo "hello from $SCRIPT_NAME$PATH_INFO, asked by $REMOTE_ADDR"

if [ "$REQUEST_METHOD" = POST ]; then
	lines=0
	while read -r _; do
		lines=$((lines + 1))
	done
	echo "$lines lines came"
fi
