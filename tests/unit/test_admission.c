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

#define ONE	    .max_children = 64, .zygotes = 1
#define BATCH	    ADMISSION_BATCH
#define TICK	    ADMISSION_TICK
#define FILL	    ADMISSION_FILL
#define FORKING_MAX ADMISSION_FORKING_MAX

static const struct admission_case {
	const char *what;
	struct admission view;
	enum admission_pace pace;
	unsigned expected;
} cases[] = {
	{ "empty pool fills", { .spare = 8, ONE }, BATCH, 8 },
	{ "full", { .spare = 8, ONE, .parked = 8 }, BATCH, 0 },
	{ "one missing waits for its batch", { .spare = 8, ONE, .parked = 7 }, BATCH, 0 },
	{ "one missing at a tick", { .spare = 8, ONE, .parked = 7 }, TICK, 1 },
	{ "a tick brings a batch", { .spare = 8, ONE }, TICK, 2 },
	{ "a tick with a queue brings what it needs", { .spare = 8, ONE, .queued = 4 }, TICK, 12 },
	{ "a successor gets all", { .spare = 8, ONE, .parked = 1 }, FILL, 7 },
	{ "a quarter missing", { .spare = 8, ONE, .parked = 6 }, BATCH, 2 },
	{ "starting children count", { .spare = 8, ONE, .parked = 4, .starting = 4 }, TICK, 0 },
	{ "spare of one has no batch", { .spare = 1, ONE }, BATCH, 1 },
	{ "a queue that starting children will serve waits for the batch",
	  { .spare = 8, ONE, .starting = 8, .queued = 1 },
	  BATCH,
	  0 },
	{ "a longer queue overrides the batch",
	  { .spare = 8, ONE, .starting = 3, .queued = 4 },
	  BATCH,
	  9 },
	{ "a zygote has its bound", { .spare = 64, ONE }, BATCH, FORKING_MAX },
	{ "two zygotes have two",
	  { .spare = 64, .max_children = 64, .zygotes = 2 },
	  BATCH,
	  2 * FORKING_MAX },
	{ "what they have before them counts",
	  { .spare = 64, ONE, .starting = 4, .forking = FORKING_MAX - 3, .queued = 60 },
	  BATCH,
	  3 },
	{ "also when requests wait for it already",
	  { .spare = 64, ONE, .busy = FORKING_MAX, .forking = FORKING_MAX, .queued = 60 },
	  FILL,
	  0 },
	{ "max_children bounds",
	  { .spare = 8, .max_children = 10, .zygotes = 1, .busy = 9 },
	  BATCH,
	  1 },
	{ "dying children take room",
	  { .spare = 8, .max_children = 10, .zygotes = 1, .busy = 4, .dying = 6 },
	  FILL,
	  0 },
	{ "children of other generations take room",
	  { .spare = 8, .max_children = 10, .zygotes = 1, .busy = 1, .elsewhere = 7 },
	  FILL,
	  2 },
	{ "as many as there may be elsewhere",
	  { .spare = 8, .max_children = 10, .zygotes = 1, .elsewhere = 10, .queued = 3 },
	  TICK,
	  0 },
	{ "more than max_children",
	  { .spare = 8, .max_children = 4, .zygotes = 1, .busy = 9, .queued = 3 },
	  TICK,
	  0 },
	{ "no spares wanted, none ordered",
	  { .spare = 0, .max_children = 4, .zygotes = 1 },
	  FILL,
	  0 },
	{ "no spares wanted, one waits",
	  { .spare = 0, .max_children = 4, .zygotes = 1, .queued = 1 },
	  BATCH,
	  1 },
};

static void
orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned got = admission_order_count(&cases[i].view, cases[i].pace);
		if (got != cases[i].expected)
			fail_msg("%s: %u, not %u", cases[i].what, got, cases[i].expected);
	}
}

/* Whatever the counts: never over max_children, never more than the zygote may have before it, and a queue with room is never
 * left waiting. */
static void
orders_hold_for_all_small_counts(void **state)
{
	struct admission view = { .max_children = 5, .zygotes = 1 };

	(void)state;
	for (unsigned bits = 0; bits < 4 * 4 * 4 * 4 * 4 * 4 * 3; bits++) {
		view.spare = bits & 3;
		view.parked = (bits >> 2) & 3;
		view.starting = (bits >> 4) & 3;
		view.busy = (bits >> 6) & 3;
		view.dying = (bits >> 8) & 3;
		view.queued = (bits >> 10) & 3;
		view.forking = view.starting;
		const enum admission_pace pace = (enum admission_pace)(bits >> 12);
		unsigned all = view.parked + view.starting + view.busy + view.dying;
		unsigned got = admission_order_count(&view, pace);
		assert_true(got == 0 || all + got <= view.max_children);
		assert_true(view.forking + got <= FORKING_MAX);
		if (view.queued > view.parked + view.starting && all < view.max_children)
			assert_true(got > 0);
	}
}

/* ---- a pool over time: one step is a millisecond, a zygote forks FORKS_PER_MS in it, a request takes one ---- */

#define FORKS_PER_MS 8
#define TICK_MS	     20

struct story {
	struct admission view;
	unsigned now_ms;
	unsigned waited_most; /* requests in the queue at the end of a step */
	unsigned refused;
	unsigned ordered_most; /* in a step */
	unsigned parked_least;
	unsigned served;
};

static void
order(struct story *story, enum admission_pace pace)
{
	const unsigned count = admission_order_count(&story->view, pace);

	story->view.starting += count;
	story->view.forking += count;
	if (count > story->ordered_most)
		story->ordered_most = count;
	assert_true(story->view.forking <= FORKING_MAX);
}

static void
serve(struct story *story)
{
	struct admission *view = &story->view;

	while (view->queued > 0 && view->parked > 0) {
		view->queued--;
		view->parked--;
		view->busy++;
	}
}

static void
arrive(struct story *story, unsigned arrivals)
{
	for (unsigned i = 0; i < arrivals; i++) {
		if (admission_may_queue(&story->view))
			story->view.queued++;
		else
			story->refused++;
		serve(story);
		order(story, ADMISSION_BATCH);
	}
}

/* Ends what was busy, brings what came, forks what was ordered. */
static void
step(struct story *story, unsigned arrivals)
{
	struct admission *view = &story->view;
	const unsigned forked = view->forking < FORKS_PER_MS ? view->forking : FORKS_PER_MS;

	story->served += view->busy;
	view->busy = 0;
	arrive(story, arrivals);
	view->forking -= forked;
	view->starting -= forked;
	view->parked += forked;
	serve(story);
	order(story, ADMISSION_BATCH);
	if (++story->now_ms % TICK_MS == 0)
		order(story, ADMISSION_TICK);
	if (view->queued > story->waited_most)
		story->waited_most = view->queued;
	if (view->parked < story->parked_least)
		story->parked_least = view->parked;
}

static struct story
story_begin(unsigned parked)
{
	return (struct story){ .view = { .spare = 32,
					 .max_children = 64,
					 .queue = 256,
					 .zygotes = 1,
					 .parked = parked },
			       .parked_least = parked };
}

/* Of 1,000 requests at once the spares take 32 and the queue 256; forks come at the zygote's own pace, then the pool is as
 * before. */
static void
a_burst_is_queued_and_makes_no_burst_of_forks(void **state)
{
	struct story story = story_begin(32);

	(void)state;
	step(&story, 1000);
	assert_int_equal(story.refused, 1000 - 32 - 256);
	for (int i = 0; i < 40; i++)
		step(&story, 0);
	assert_true(story.ordered_most <= FORKING_MAX);
	assert_int_equal(story.served, 32 + 256);
	assert_int_equal(story.view.queued, 0);
	for (int i = 0; i < 400; i++)
		step(&story, 0);
	assert_int_equal(story.view.parked, 32);
	assert_int_equal(story.view.starting, 0);
}

/* A steady rate below what the zygote forks never waits, and finds most of the spares there. */
static void
a_steady_rate_keeps_spares(void **state)
{
	(void)state;
	for (unsigned rate = 1; rate < FORKS_PER_MS; rate++) {
		struct story story = story_begin(32);
		for (int i = 0; i < 1000; i++)
			step(&story, rate);
		assert_int_equal(story.waited_most, 0);
		assert_int_equal(story.refused, 0);
		assert_true(story.parked_least >= 32 - 32 / 4 - FORKING_MAX);
		assert_int_equal(story.served, 999 * rate); /* those of the last step are busy */
	}
}

/* A request now and then makes no fork of its own: its spare comes with the next tick. */
static void
spares_are_completed_slowly(void **state)
{
	struct story story = story_begin(32);

	(void)state;
	step(&story, 7);
	assert_int_equal(story.ordered_most, 0);
	while (story.now_ms <= TICK_MS)
		step(&story, 0);
	assert_int_equal(story.ordered_most, 7);
	assert_int_equal(story.view.parked, 32);
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
		cmocka_unit_test(a_burst_is_queued_and_makes_no_burst_of_forks),
		cmocka_unit_test(a_steady_rate_keeps_spares),
		cmocka_unit_test(spares_are_completed_slowly),
		cmocka_unit_test(queue_has_a_bound),
		cmocka_unit_test(retry_after_stays_in_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
