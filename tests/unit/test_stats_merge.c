/*
 * Figures of several fronts as one.
 * LINK: daemon/supervisor/stats_merge.c daemon/base/histogram.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "supervisor/stats_merge.h"

/* What is no count that adds up, and the header. */
static void
set_others(struct msg_stats *stats, uint32_t breaker, uint32_t generation)
{
	memset(&stats->header, 0, sizeof(stats->header));
	stats->cookie = 0;
	stats->pool = 3;
	stats->breaker = breaker;
	stats->prefault_state = PREFAULT_ON;
	stats->padding = 0;
	stats->generation = generation;
	stats->run_us_max = stats->queue_us_max = generation;
}

/* A struct of that value in each word behind its head. */
static void
fill(void *figures, size_t size, size_t head, uint32_t value)
{
	uint32_t *words = figures;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = i < head / sizeof(*words) ? 0 : value;
}

/* Every counter, whatever its name: a struct of ones twice gives a struct of twos. A new counter that nobody adds is found. */
static void
each_counter_of_a_pool_is_added(void **state)
{
	struct msg_stats part, sum, expected;
	uint32_t *words = (uint32_t *)(void *)&part;

	(void)state;
	memset(&sum, 0, sizeof(sum));
	for (size_t i = 0; i < sizeof(part) / sizeof(*words); i++)
		words[i] = 1;
	set_others(&part, BREAKER_CLOSED, 7);
	stats_merge_pool(&sum, &part);
	assert_memory_equal(&sum, &part, sizeof(sum));
	stats_merge_pool(&sum, &part);
	words = (uint32_t *)(void *)&expected;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*words); i++)
		words[i] = 2;
	set_others(&expected, BREAKER_CLOSED, 7);
	assert_memory_equal(&sum, &expected, sizeof(sum));
}

static void
each_counter_of_a_front_is_added(void **state)
{
	struct msg_stats_end part, sum, expected;
	uint32_t *words = (uint32_t *)(void *)&part;

	(void)state;
	memset(&sum, 0, sizeof(sum));
	for (size_t i = 0; i < sizeof(part) / sizeof(*words); i++)
		words[i] = 1;
	words = (uint32_t *)(void *)&expected;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*words); i++)
		words[i] = 2;
	memset(&part, 0, offsetof(struct msg_stats_end, connections));
	memset(&expected, 0, offsetof(struct msg_stats_end, connections));
	part.uptime_ms = expected.uptime_ms = 5;
	stats_merge_front(&sum, &part);
	stats_merge_front(&sum, &part);
	assert_memory_equal(&sum, &expected, sizeof(sum));
}

/* The same for what else is told of a pool, of a listener and of a route, but for their heads. */
static void
each_counter_of_the_others_is_added(void **state)
{
	struct msg_stats_times times[3];
	struct msg_stats_listener listeners[3];
	struct msg_route routes[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		fill(&times[i], sizeof(times[i]), offsetof(struct msg_stats_times, fork_us), i);
		fill(&listeners[i], sizeof(listeners[i]),
		     offsetof(struct msg_stats_listener, connections), i);
		fill(&routes[i], sizeof(routes[i]), offsetof(struct msg_route, requests), i);
		routes[i].faults.max = routes[i].cpu_us.max = routes[i].wall_us.max = i > 0;
	}
	for (int i = 0; i < 2; i++) {
		stats_merge_times(&times[0], &times[1]);
		stats_merge_listener(&listeners[0], &listeners[1]);
		stats_merge_route(&routes[0], &routes[1]);
	}
	assert_memory_equal(&times[0], &times[2], sizeof(times[0]));
	assert_memory_equal(&listeners[0], &listeners[2], sizeof(listeners[0]));
	assert_memory_equal(&routes[0], &routes[2], sizeof(routes[0]));
}

static void
the_rest_is_compared(void **state)
{
	static const struct {
		uint32_t one, other, both;
	} breakers[] = {
		{ BREAKER_CLOSED, BREAKER_CLOSED, BREAKER_CLOSED },
		{ BREAKER_CLOSED, BREAKER_OPEN, BREAKER_OPEN },
		{ BREAKER_PROBING, BREAKER_CLOSED, BREAKER_PROBING },
		{ BREAKER_PROBING, BREAKER_OPEN, BREAKER_OPEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(breakers) / sizeof(breakers[0]); i++) {
		struct msg_stats sum = { .run_us_max = 0 };
		struct msg_stats one = { .breaker = breakers[i].one,
					 .generation = 2,
					 .run_us_max = 9 };
		struct msg_stats other = { .breaker = breakers[i].other, .generation = 3 };
		stats_merge_pool(&sum, &one);
		stats_merge_pool(&sum, &other);
		assert_int_equal(sum.breaker, breakers[i].both);
		assert_int_equal(sum.generation, 3);
		assert_int_equal(sum.run_us_max, 9);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_counter_of_a_pool_is_added),
		cmocka_unit_test(each_counter_of_a_front_is_added),
		cmocka_unit_test(each_counter_of_the_others_is_added),
		cmocka_unit_test(the_rest_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
