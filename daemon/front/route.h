/*
 * Which pool takes a path. Pure.
 *
 * A route that ends in '/' takes every path that begins with it. One that does not takes that path
 * exactly, and what follows it after a '/'. With a leading '=' it takes exactly the path behind the
 * '='. The longest route that takes a path wins; of two equally long ones the exact one.
 */
#ifndef ZYGOTED_FRONT_ROUTE_H
#define ZYGOTED_FRONT_ROUTE_H

#include "base/heritage.h"

#include <stdbool.h>

/*
 * Index of the pool that takes the path, as received and without its query; -1 when none does: then
 * the outputs are not set. *route_out: the route without a leading '=', within `pools`,
 * NUL-terminated. *matched_out: length of the part of the path that it took; the rest starts behind
 * it.
 */
int route_find(const struct heritage_pool *pools, size_t count, const char *path, size_t length,
	       const char **route_out, size_t *matched_out);

/*
 * Index of the pool of that name, if frames may go to it, and its route for them; -1 when there is none.
 */
int route_find_frame(const struct heritage_pool *pools, size_t count, const char *name,
		     const char **route_out);

/* Index of a route that route_find gave, among those of its pool. */
uint32_t route_index(const struct heritage_pool *pool, const char *route);

#endif
