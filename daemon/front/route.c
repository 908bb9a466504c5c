/*
 * The route table: a linear search over at most PROTO_POOLS_MAX * PROTO_ROUTES_MAX short strings,
 * which in practice are a handful.
 *
 * Runs in: front. Trusts the routes, which the supervisor has checked, not the
 * path. Pure. Compares bytes: a path is neither decoded nor normalised, here or in a worker, so
 * that both mean the same path.
 */
#include "front/route.h"

#include <string.h>

/* How well a route takes a path; higher is better, 0: not at all. */
static size_t
route_rank(const char *route, const char *path, size_t path_length)
{
	bool exact = route[0] == '=';
	const char *prefix = exact ? route + 1 : route;
	size_t length = strnlen(prefix, PROTO_ROUTE_MAX - 1);

	if (prefix[0] != '/' || path_length < length || memcmp(path, prefix, length) != 0)
		return 0;
	if (path_length == length)
		return 2 * length + exact;
	if (exact || (prefix[length - 1] != '/' && path[length] != '/'))
		return 0;
	return 2 * length;
}

int
route_find(const struct heritage_pool *pools, size_t count, const char *path, size_t length,
	   const char **route_out, size_t *matched_out)
{
	size_t best = 0;
	int found = -1;

	for (size_t pool = 0; pool < count; pool++) {
		for (uint32_t i = 0; i < pools[pool].routes_count; i++) {
			const char *route = pools[pool].routes[i];
			size_t rank = route_rank(route, path, length);

			if (rank <= best)
				continue;
			best = rank;
			found = (int)pool;
			*route_out = route[0] == '=' ? route + 1 : route;
			*matched_out = rank / 2;
		}
	}
	return found;
}

/* A pool that is being removed, or tried, has no routes, and may share its name with another. */
int
route_find_frame(const struct heritage_pool *pools, size_t count, const char *name,
		 const char **route_out)
{
	for (size_t pool = 0; pool < count; pool++) {
		if (strcmp(pools[pool].name, name) != 0)
			continue;
		for (uint32_t i = 0; i < pools[pool].routes_count; i++) {
			*route_out = pools[pool].routes[i];
			if (strcmp(*route_out, HERITAGE_FRAME_ROUTE) == 0)
				return (int)pool;
		}
	}
	return -1;
}

uint32_t
route_index(const struct heritage_pool *pool, const char *route)
{
	return (uint32_t)((route - pool->routes[0]) / PROTO_ROUTE_MAX);
}
