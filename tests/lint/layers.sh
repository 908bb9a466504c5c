#!/bin/sh
# Checks the include rules that keep the processes apart: which folder may include which, and in which files the
# third-party headers may stand. Prints file:line: for each offence; exit 1 if there is one.
set -u

cd "$(dirname "$0")/../.." || exit 2
failed=0

# deny WHY PATTERN FILE...: no file may have an #include that matches the extended regular expression.
deny() {
	why=$1
	pattern=$2
	shift 2
	[ $# -gt 0 ] || return 0
	found=$(grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]+[<\"]($pattern)" "$@") || return 0
	echo "$found" | while IFS= read -r line; do
		echo "$line: $why"
	done
	failed=1
}

# files FOLDER [EXCEPT]: its C files without those whose path matches the extended regular expression.
files() {
	find "$1" -name '*.[ch]' 2>/dev/null | grep -vE "${2:-^\$}" | sort
}

# Word splitting of file names is meant: none of ours has a space.
# shellcheck disable=SC2046
{
	# Executables meet in base/proto.h and nowhere else. Configuration and routes share the pure route matcher.
	deny "base is below everything" 'supervisor/|front/|doctor/|zygotectl/|zygote/' $(files daemon/base)
	deny "front must not know the supervisor" 'supervisor/|doctor/|zygotectl/' $(files daemon/front)
	deny "nobody calls the doctor but main" 'doctor/' $(files daemon/supervisor) $(files daemon/zygotectl)
	# The user, the filter and the parsers of /proc are the supervisor's own: what is tried out is what is used.
	deny "the doctor stands on base and four modules of the supervisor" \
		'front/|zygotectl/|zygote/|event|supervisor/([^ips]|i[^d]|p[^or]|s[^m])' $(files daemon/doctor)
	deny "the doctor compiles filters and knows no more of the policy" 'supervisor/policy(_[^c]|\.)' $(files daemon/doctor)
	# Both make contexts of TLS: the supervisor to find out whether the front can.
	deny "supervisor must not know the front" 'zygotectl/|front/' \
		$(files daemon/supervisor '/(config|tls_)[^/]*\.c$')
	deny "the configuration may use front/route.h only" 'zygotectl/|front/([^r]|r[^o]|ro[^u]|rou[^t]|rout[^e]|route[^.])' \
		$(files daemon/supervisor '/tls_[^/]*\.c$')
	deny "of the front, tls_*.c may use tls_context.h only" \
		'front/([^t]|t[^l]|tls[^_]|tls_[^c])' $(find daemon/supervisor -name 'tls_*.c')
	deny "zygotectl stands on base alone" 'supervisor/|front/|zygote/' $(files daemon/zygotectl)

	# The zygote: libc and libdl, base, worker.h, its own headers.
	deny "the zygote stands on base and worker.h alone" \
		'supervisor/|front/|doctor/|zygotectl/|event|openssl/|seccomp\.h|confuse\.h|jansson\.h' \
		$(files worker/zygote)
	for worker in worker/*/; do
		[ "$worker" = worker/zygote/ ] && continue
		deny "a worker includes worker.h and its own headers" \
			'base/|supervisor/|front/|doctor/|zygotectl/|zygote/|\.\./' $(files "$worker")
	done

	# Third-party headers in their quarantine.
	deny "seccomp.h belongs to policy_compile.c" 'seccomp\.h' \
		$(files daemon '^daemon/supervisor/policy_compile\.c$')
	deny "confuse.h belongs to config*.c" 'confuse\.h' \
		$(files daemon '^daemon/supervisor/config[^/]*\.[ch]$')
	deny "jansson.h belongs to control*, memory, the doctor's report and zygotectl" 'jansson\.h' \
		$(files daemon '^daemon/(zygotectl/|doctor/report\.c|supervisor/(control|memory|json)[^/]*\.[ch]$)')
	deny "curses.h belongs to top_screen.c" 'n?curses' \
		$(files daemon '^daemon/zygotectl/top_screen\.c$')
	deny "openssl belongs to tls" 'openssl/' $(files daemon '^daemon/(front/tls[^/]*|supervisor/tls_wipe)\.[ch]$')
	deny "libevent drives loops in front and supervisor, no more" 'event2?[/.]' \
		$(files daemon/base) $(files daemon/zygotectl) $(files worker)

	# Pure modules: no loop, no third party, no sockets.
	pure='(http_[a-z]+|reply_parse|route|route_stats|admission|request_frame|breaker|penalty|recycle_watch)'
	deny "a pure module does no I/O" 'event2/|event\.h|sys/socket\.h|unistd\.h|fcntl\.h|poll\.h' \
		$(find daemon/front -name '*.[ch]' | grep -E "/$pure\\.[ch]\$")
	deny "a pure module does no I/O" 'event2/|event\.h|poll\.h|seccomp\.h|unistd\.h' \
		$(find daemon/supervisor -name '*.[ch]' | grep -E '/(policy|smaps|memory_stat|page_runs|page_image|page_entry|maps_text|sample_store|control_line|config_value|metrics_(text|table|emit|snapshot))\.[ch]$')
}
exit "$failed"
