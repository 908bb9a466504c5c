/* LINK: daemon/supervisor/config_selftest.c daemon/front/route.c
 *
 * What a zygote is told of a pool's self-test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/config.h"
#include "supervisor/config_selftest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config_pool pool;
static struct heritage_selftest test;

static const char *
parse(const char *text, const char *route)
{
	memset(&pool, 0, sizeof(pool));
	memset(&test, 0xff, sizeof(test));
	pool.front.routes_count = 1;
	snprintf(pool.front.routes[0], sizeof(pool.front.routes[0]), "%s", route);
	snprintf(pool.selftest, sizeof(pool.selftest), "%s", text);
	return config_selftest_parse(&pool, &test);
}

static const struct {
	const char *text;
	const char *pool_route;
	const char *method, *path, *query, *route;
} good[] = {
	{ "GET /", "/", "GET", "/", "", "/" },
	{ "GET /a/b?c=d?e", "/a/", "GET", "/a/b", "c=d?e", "/a/" },
	{ "HEAD /a?", "/a", "HEAD", "/a", "", "/a" },
	{ "OPTIONS /a/b", "/a", "OPTIONS", "/a/b", "", "/a" },
	{ "GET /a", "=/a", "GET", "/a", "", "/a" },
	{ "ABCDEFGHIJKLMNO /", "/", "ABCDEFGHIJKLMNO", "/", "", "/" },
};

static void
test_a_request_is_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_null(parse(good[i].text, good[i].pool_route));
		assert_string_equal(test.method, good[i].method);
		assert_string_equal(test.path, good[i].path);
		assert_string_equal(test.query, good[i].query);
		assert_string_equal(test.route, good[i].route);
	}
}

static const struct {
	const char *text;
	const char *pool_route;
	const char *reason;
} bad[] = {
	{ "/", "/", "is no request" },
	{ "GET", "/", "is no request" },
	{ "GET ", "/", "is no request" },
	{ "GET  /", "/", "is no request" },
	{ " /", "/", "is no request" },
	{ "get /", "/", "is no request" },
	{ "GET a", "/", "is no request" },
	{ "GET /a b", "/", "is no request" },
	{ "GET /a#b", "/", "is no request" },
	{ "GET /\x7f", "/", "is no request" },
	{ "GET /\xc3\xa4", "/", "is no request" },
	{ "GET http://a/", "/", "is no request" },
	{ "ABCDEFGHIJKLMNOP /", "/", "is no request" },
	{ "GET /b", "/a/", "is no path of the pool's" },
	{ "GET /a?/b/", "/b/", "is no path of the pool's" },
	{ "GET /a/b", "=/a", "is no path of the pool's" },
};

static void
test_what_cannot_be_asked_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *reason = parse(bad[i].text, bad[i].pool_route);
		assert_non_null(reason);
		assert_memory_equal(reason, bad[i].reason, strlen(bad[i].reason));
	}
}

static void
test_none_is_none(void **state)
{
	(void)state;
	assert_null(parse("", "/"));
	assert_string_equal(test.method, "");
}

static void
test_the_time_is_the_pools_within_bounds(void **state)
{
	static const uint32_t times[][2] = {
		{ 10, 10000 }, { 10000, 10000 }, { 60000, 60000 }, { 86400000, 300000 }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		assert_null(parse("GET /", "/"));
		pool.front.timeout_ms = times[i][0];
		assert_null(config_selftest_parse(&pool, &test));
		assert_int_equal(test.timeout_ms, times[i][1]);
	}
}

/* As long as the configuration lets it be. */
static void
test_the_longest_fits(void **state)
{
	char text[HERITAGE_TARGET_MAX] = "GET /";

	(void)state;
	memset(text + 5, 'a', sizeof(text) - 6);
	assert_null(parse(text, "/"));
	assert_int_equal(strlen(test.path), sizeof(text) - 5);
	text[5] = '?';
	assert_null(parse(text, "/"));
	assert_int_equal(strlen(test.query), sizeof(text) - 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_taken_apart),
		cmocka_unit_test(test_what_cannot_be_asked_is_refused),
		cmocka_unit_test(test_none_is_none),
		cmocka_unit_test(test_the_time_is_the_pools_within_bounds),
		cmocka_unit_test(test_the_longest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
