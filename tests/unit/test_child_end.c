/* LINK: daemon/front/child_end.c
 *
 * Each end of a child has its reason.
 */
#include "front/child_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

static const struct {
	struct child_exit ended;
	bool served;
	enum child_end end;
} cases[] = {
	{ { .code = 0 }, true, CHILD_END_SERVED },
	{ { .code = 0 }, false, CHILD_END_UNUSED },
	{ { .code = 0, .killed_by_us = true }, true, CHILD_END_KILLED },
	{ { .code = SIGKILL, .by_signal = true, .killed_by_us = true }, true, CHILD_END_KILLED },
	{ { .code = SIGKILL, .by_signal = true }, true, CHILD_END_SIGNAL },
	{ { .code = SIGTERM, .by_signal = true }, false, CHILD_END_SIGNAL },
	{ { .code = SIGSEGV, .by_signal = true }, true, CHILD_END_FAULT },
	{ { .code = SIGBUS, .by_signal = true }, true, CHILD_END_FAULT },
	{ { .code = SIGILL, .by_signal = true }, true, CHILD_END_FAULT },
	{ { .code = SIGFPE, .by_signal = true }, true, CHILD_END_FAULT },
	{ { .code = SIGABRT, .by_signal = true }, true, CHILD_END_ABORT },
	{ { .code = SIGSYS, .by_signal = true }, true, CHILD_END_SANDBOX },
	{ { .code = SIGXCPU, .by_signal = true }, true, CHILD_END_CPU },
	{ { .code = ZY_EXIT_WORKER }, true, CHILD_END_WORKER },
	{ { .code = ZY_EXIT_SANDBOX }, false, CHILD_END_SANDBOX },
	{ { .code = ZY_EXIT_SANDBOX_FILTER }, false, CHILD_END_SANDBOX },
	{ { .code = ZY_EXIT_CHANNEL }, true, CHILD_END_EXIT },
	{ { .code = 1 }, true, CHILD_END_EXIT },
};

static void
test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (child_end_of(&cases[i].ended, cases[i].served) != cases[i].end)
			fail_msg("case %zu: %d", i, child_end_of(&cases[i].ended, cases[i].served));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_reasons) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
