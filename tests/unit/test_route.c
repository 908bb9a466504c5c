/* Which pool takes a path. */
/* LINK: daemon/front/route.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "front/route.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define POOLS 4

/* NULL-terminated routes of each pool. */
static const char *const table[POOLS][6] = {
	{ "/oui/", "=/exact", "/a" },
	{ "/", "/oui/deep/", "/both" },
	{ "=/", "/a/b", "=/both", "/oui" },
	{ "/A/", "=/dir/" },
};

static struct heritage_pool pools[POOLS];

static int
fill_pools(void **state)
{
	(void)state;
	memset(pools, 0, sizeof(pools));
	for (size_t pool = 0; pool < POOLS; pool++)
		for (uint32_t i = 0; table[pool][i]; i++) {
			snprintf(pools[pool].routes[i], PROTO_ROUTE_MAX, "%s", table[pool][i]);
			pools[pool].routes_count = i + 1;
		}
	return 0;
}

static void
test_longest_route_wins(void **state)
{
	static const struct {
		const char *path;
		int pool;
		const char *route;
		const char *rest;
	} cases[] = {
		{ "/", 2, "/", "" },
		{ "/x", 1, "/", "x" },
		{ "//", 1, "/", "/" },
		{ "/oui", 2, "/oui", "" },
		{ "/oui/", 0, "/oui/", "" },
		{ "/oui/00:22", 0, "/oui/", "00:22" },
		{ "/oui//", 0, "/oui/", "/" },
		{ "/oui/deep", 0, "/oui/", "deep" },
		{ "/oui/deep/", 1, "/oui/deep/", "" },
		{ "/oui/deep/er", 1, "/oui/deep/", "er" },
		{ "/ouix", 1, "/", "ouix" },
		{ "/ou", 1, "/", "ou" },
		{ "/OUI/", 1, "/", "OUI/" },
		{ "/exact", 0, "/exact", "" },
		{ "/exact/", 1, "/", "exact/" },
		{ "/exactly", 1, "/", "exactly" },
		{ "/a", 0, "/a", "" },
		{ "/a/", 0, "/a", "/" },
		{ "/a/c", 0, "/a", "/c" },
		{ "/ab", 1, "/", "ab" },
		{ "/a/b", 2, "/a/b", "" },
		{ "/a/b/c", 2, "/a/b", "/c" },
		{ "/a/bc", 0, "/a", "/bc" },
		{ "/A", 1, "/", "A" },
		{ "/A/", 3, "/A/", "" },
		{ "/both", 2, "/both", "" },
		{ "/both/x", 1, "/both", "/x" },
		{ "/dir/", 3, "/dir/", "" },
		{ "/dir/x", 1, "/", "dir/x" },
		{ "/dir", 1, "/", "dir" },
		{ "/a/../oui/", 0, "/a", "/../oui/" },
		{ "/%6fui/", 1, "/", "%6fui/" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *path = cases[i].path;
		const char *route = NULL;
		size_t matched = 0;
		int pool = route_find(pools, POOLS, path, strlen(path), &route, &matched);

		if (pool != cases[i].pool)
			fail_msg("%s: pool %d", path, pool);
		assert_string_equal(route, cases[i].route);
		assert_string_equal(path + matched, cases[i].rest);
	}
}

static void
test_no_route(void **state)
{
	const char *route;
	size_t matched;

	(void)state;
	assert_int_equal(route_find(pools, POOLS, "*", 1, &route, &matched), -1);
	assert_int_equal(route_find(pools, POOLS, "", 0, &route, &matched), -1);
	assert_int_equal(route_find(pools, POOLS, "=/", 2, &route, &matched), -1);
	assert_int_equal(route_find(pools, 1, "/", 1, &route, &matched), -1);
	assert_int_equal(route_find(pools, 1, "/ou", 3, &route, &matched), -1);
	assert_int_equal(route_find(pools, 0, "/", 1, &route, &matched), -1);
	/* The path ends where its length says. */
	assert_int_equal(route_find(pools, 1, "/exactly", 6, &route, &matched), 0);
}

/* No path reaches the route of frames, and no pool that is being removed or tried gets any. */
static void
test_frames(void **state)
{
	const char *route = NULL;
	size_t matched;

	(void)state;
	for (size_t pool = 0; pool < POOLS; pool++)
		snprintf(pools[pool].name, PROTO_NAME_MAX, "%s", pool == 0 ? "gone" : "oui");
	snprintf(pools[2].routes[pools[2].routes_count++], PROTO_ROUTE_MAX, "%s",
		 HERITAGE_FRAME_ROUTE);
	pools[1].routes_count = 0;
	assert_int_equal(route_find_frame(pools, POOLS, "oui", &route), 2);
	assert_string_equal(route, HERITAGE_FRAME_ROUTE);
	assert_int_equal(route_index(&pools[2], route), pools[2].routes_count - 1);
	assert_int_equal(route_find_frame(pools, POOLS, "gone", &route), -1);
	assert_int_equal(route_find_frame(pools, POOLS, "", &route), -1);
	assert_int_equal(route_find(pools, POOLS, "frame", 5, &route, &matched), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_longest_route_wins, fill_pools),
		cmocka_unit_test_setup(test_no_route, fill_pools),
		cmocka_unit_test_setup(test_frames, fill_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
