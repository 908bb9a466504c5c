#!/bin/sh
# Installs the Debian packages named as arguments that are missing, or says which they are.
set -eu

missing=""
for package in "$@"; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=""
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "please install what Debian calls:$missing" >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	run=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	run="sudo"
else
	echo "missing packages; as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
$run apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing >/dev/null
