/*
 * Admission arithmetic.
 * LINK: daemon/front/admission.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/proto.h"
#include "front/admission.h"

static const struct admission_case {
	const char *what;
	struct admission view;
	bool idle;
	unsigned expected;
} cases[] = {
	{ "empty pool fills", { .spare = 8, .max_children = 64 }, false, 8 },
	{ "full", { .spare = 8, .max_children = 64, .parked = 8 }, false, 0 },
	{ "one missing waits for its batch",
	  { .spare = 8, .max_children = 64, .parked = 7 },
	  false,
	  0 },
	{ "one missing when idle", { .spare = 8, .max_children = 64, .parked = 7 }, true, 1 },
	{ "a quarter missing", { .spare = 8, .max_children = 64, .parked = 6 }, false, 2 },
	{ "starting children count",
	  { .spare = 8, .max_children = 64, .parked = 4, .starting = 4 },
	  true,
	  0 },
	{ "spare of one has no batch", { .spare = 1, .max_children = 4 }, false, 1 },
	{ "a queue that starting children will serve waits for the batch",
	  { .spare = 8, .max_children = 64, .starting = 8, .queued = 1 },
	  false,
	  0 },
	{ "a longer queue overrides the batch",
	  { .spare = 8, .max_children = 64, .starting = 3, .queued = 4 },
	  false,
	  9 },
	{ "a batch has its bound", { .spare = 64, .max_children = 64 }, false, PROTO_BATCH_MAX },
	{ "max_children bounds", { .spare = 8, .max_children = 10, .busy = 9 }, false, 1 },
	{ "dying children take room",
	  { .spare = 8, .max_children = 10, .busy = 4, .dying = 6 },
	  true,
	  0 },
	{ "children of other generations take room",
	  { .spare = 8, .max_children = 10, .busy = 1, .elsewhere = 7 },
	  true,
	  2 },
	{ "as many as there may be elsewhere",
	  { .spare = 8, .max_children = 10, .elsewhere = 10, .queued = 3 },
	  true,
	  0 },
	{ "more than max_children",
	  { .spare = 8, .max_children = 4, .busy = 9, .queued = 3 },
	  true,
	  0 },
	{ "no spares wanted, none ordered", { .spare = 0, .max_children = 4 }, true, 0 },
	{ "no spares wanted, one waits", { .spare = 0, .max_children = 4, .queued = 1 }, false, 1 },
};

static void
orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned got = admission_order_count(&cases[i].view, cases[i].idle);
		if (got != cases[i].expected)
			fail_msg("%s: %u, not %u", cases[i].what, got, cases[i].expected);
	}
}

/* Whatever the counts: never over max_children, never over a batch, and a queue with room is never
 * left waiting. */
static void
orders_hold_for_all_small_counts(void **state)
{
	struct admission view = { .max_children = 5 };

	(void)state;
	for (unsigned bits = 0; bits < 4 * 4 * 4 * 4 * 4 * 4; bits++) {
		view.spare = bits & 3;
		view.parked = (bits >> 2) & 3;
		view.starting = (bits >> 4) & 3;
		view.busy = (bits >> 6) & 3;
		view.dying = (bits >> 8) & 3;
		view.queued = (bits >> 10) & 3;
		unsigned all = view.parked + view.starting + view.busy + view.dying;
		unsigned got = admission_order_count(&view, false);
		assert_true(got == 0 || all + got <= view.max_children);
		assert_true(got <= PROTO_BATCH_MAX);
		if (view.queued > view.parked + view.starting && all < view.max_children)
			assert_true(got > 0);
	}
}

static void
queue_has_a_bound(void **state)
{
	struct admission view = { .max_children = 4, .queue = 2 };

	(void)state;
	assert_true(admission_may_queue(&view));
	view.queued = 1;
	assert_true(admission_may_queue(&view));
	view.queued = 2;
	assert_false(admission_may_queue(&view));
}

static void
retry_after_stays_in_its_range(void **state)
{
	struct admission view = { .max_children = 4 };

	(void)state;
	assert_int_equal(admission_retry_after(&view), 1);
	view.queued = 9;
	assert_int_equal(admission_retry_after(&view), 3);
	view.queued = UINT32_MAX;
	assert_int_equal(admission_retry_after(&view), 30);
	view.max_children = 0;
	assert_int_equal(admission_retry_after(&view), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(orders_hold_for_all_small_counts),
		cmocka_unit_test(queue_has_a_bound),
		cmocka_unit_test(retry_after_stays_in_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
