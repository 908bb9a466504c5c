/*
 * What sanitized builds need, linked into their executables by `make asan` alone.
 *
 * Leaks are looked for in the unit tests: in the daemon the search would stop processes by ptrace, which the supervisor's
 * may not be subject to. A report must get by with write(2), for the sake of processes that have locked themselves down: so
 * it is neither coloured, which takes ioctl(2), nor given names by another program: addr2line(1) does that. And the
 * runtime asks sigaltstack(2) before each function that does not return, which the children's filter refuses; none of ours
 * leaves a stack behind that would have to be cleaned.
 */
#define FOR_ALL "color=never:symbolize=0"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
void __asan_handle_no_return(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0:" FOR_ALL;
}

const char *
__ubsan_default_options(void)
{
	return FOR_ALL;
}

void
__asan_handle_no_return(void)
{
}
