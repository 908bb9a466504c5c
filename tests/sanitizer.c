/*
 * What sanitized builds need, linked into their executables by `make asan` alone.
 *
 * Leaks are looked for in the unit tests: in the daemon the search would stop processes by ptrace, which the supervisor's
 * may not be subject to. And the runtime asks sigaltstack(2) before each function that does not return, which the
 * children's filter refuses; none of ours leaves a stack behind that would have to be cleaned.
 */
const char *__asan_default_options(void);
void __asan_handle_no_return(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

void
__asan_handle_no_return(void)
{
}
