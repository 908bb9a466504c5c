/* LINK: daemon/zygotectl/top_figures.c daemon/zygotectl/table.c daemon/zygotectl/unit.c
 * PKGS: jansson
 *
 * Rates and quantiles from two readings, of the expected and of other shapes.
 */
#include "zygotectl/top_figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

static double
quantile(const char *before, const char *now, const char *bounds, double which)
{
	json_t *texts[] = { json_loads(before, JSON_DECODE_ANY, NULL),
			    json_loads(now, JSON_DECODE_ANY, NULL),
			    json_loads(bounds, JSON_DECODE_ANY, NULL) };
	const double result = top_figures_quantile(texts[0], texts[1], texts[2], which);

	for (size_t i = 0; i < 3; i++)
		json_decref(texts[i]);
	return result;
}

static void
test_quantiles(void **state)
{
	static const struct {
		const char *before;
		const char *now;
		double which;
		double result;
	} cases[] = {
		{ "[0,0,0]", "[100,0,0]", 0.5, 5 },  { "[0,0,0]", "[100,0,0]", 0.99, 9.9 },
		{ "[7,0,0]", "[7,100,0]", 0.5, 15 }, { "[0,0,0]", "[50,50,0]", 0.5, 10 },
		{ "[0,0,0]", "[98,0,2]", 0.99, 20 }, /* without an upper bound: its lower one */
		{ "[5,5,5]", "[4,0,0]", 0.5, 5 },    /* begun anew */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const double result =
			quantile(cases[i].before, cases[i].now, "[10,20]", cases[i].which);
		if (fabs(result - cases[i].result) > 1e-9)
			fail_msg("case %zu: %f", i, result);
	}
}

static void
test_no_quantile_of_nothing(void **state)
{
	static const char *const cases[][3] = {
		{ "[1,2,3]", "[1,2,3]", "[10,20]" },
		{ "null", "[1,2,3]", "[10,20]" },
		{ "[1,2]", "[1,2,3]", "[10,20]" },
		{ "[0,0,0]", "[1,2,3]", "[10]" },
		{ "[]", "[]", "[]" },
		{ "{}", "\"x\"", "7" },
		{ "[0,0,0]", "[\"a\",{},null]", "[10,20]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!isnan(quantile(cases[i][0], cases[i][1], cases[i][2], 0.5)))
			fail_msg("case %zu", i);
}

#define STATS(requests)                                                                            \
	"{\"front\":{\"requests\":" requests ",\"connections\":3},\"pools\":["                     \
	"{\"pool\":\"b\",\"requests\":" requests "},{\"pool\":\"a\"}]}"

static void
test_frames(void **state)
{
	json_t *before = json_loads(STATS("10"), 0, NULL);
	json_t *after = json_loads(STATS("30"), 0, NULL);
	json_t *memory = json_loads("{\"pools\":[{\"pool\":\"a\",\"saved_bytes\":5}]}", 0, NULL);
	const struct top_reading now = { .stats = after, .memory = memory };
	struct top_frame frame;

	(void)state;
	top_figures_make(before, &now, 2, &frame);
	assert_int_equal(frame.count, 2);
	assert_true(frame.rate == 10 && frame.rows[0].rate == 10 && isnan(frame.rows[1].rate));
	assert_true(frame.saved_bytes == 5 && isnan(frame.rows[0].saved_bytes));
	assert_true(isnan(frame.rows[0].p50_us) && isnan(frame.active));
	top_figures_sort(&frame, TOP_SORT_POOL);
	assert_string_equal(frame.rows[0].pool, "a");
	top_figures_sort(&frame, TOP_SORT_RATE);
	assert_string_equal(frame.rows[0].pool, "b");
	top_figures_make(NULL, &now, 0, &frame);
	assert_true(isnan(frame.rate) && isnan(frame.rows[0].rate));
	json_decref(before);
	json_decref(after);
	json_decref(memory);
}

static void
test_any_shape_is_printed(void **state)
{
	static const char *const texts[] = { "null", "{}", "{\"pools\":[1,{},{\"pool\":7}]}",
					     "{\"front\":[],\"pools\":{}}" };
	struct top_frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *any = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		const struct top_reading now = { any, any, any };
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		top_figures_make(any, &now, 1, &frame);
		assert_int_equal(top_figures_print(&frame, out), 0);
		fclose(out);
		assert_non_null(strstr(text, "POOL  STATE"));
		free(text);
		json_decref(any);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_no_quantile_of_nothing),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_any_shape_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
