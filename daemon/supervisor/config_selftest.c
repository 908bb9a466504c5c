/*
 * "GET /path?query": what a zygote needs to ask a child of its own as the front would.
 *
 * Runs in: supervisor. Pure. The route is found by the front's own rule, so that the worker sees the same route and
 * rest of the path as with a client's request.
 */
#include "supervisor/config_selftest.h"

#include "front/route.h"
#include "supervisor/config.h"

#include <string.h>

#define METHOD_MAX (sizeof(((struct heritage_selftest *)0)->method) - 1)

/* At least, because caches are cold after load; at most, because the generation waits for it. */
#define TIMEOUT_MIN_MS 10000
#define TIMEOUT_MAX_MS 300000

/* Uppercase letters, as all registered methods but those with a dash (RFC 9110, section 16.1). */
static size_t
method_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= 'A' && text[length] <= 'Z')
		length++;
	return length <= METHOD_MAX && text[length] == ' ' ? length : 0;
}

/* Visible ASCII, as the front lets a target be; the fragment is a browser's own. */
static bool
is_target(const char *text)
{
	if (text[0] != '/')
		return false;
	for (; text[0] != '\0'; text++)
		if (text[0] <= ' ' || text[0] > '~' || text[0] == '#')
			return false;
	return true;
}

static uint32_t
clamp_ms(uint32_t ms)
{
	if (ms < TIMEOUT_MIN_MS)
		return TIMEOUT_MIN_MS;
	return ms < TIMEOUT_MAX_MS ? ms : TIMEOUT_MAX_MS;
}

static const char *
parse(const struct config_pool *pool, struct heritage_selftest *out)
{
	const size_t method = method_length(pool->selftest);
	const char *target = pool->selftest + method + 1;
	const char *route;
	size_t matched;

	if (method == 0 || !is_target(target))
		return "is no request: write it like \"GET /path\"";
	const size_t path = strcspn(target, "?");
	if (route_find(&pool->front, 1, target, path, &route, &matched) < 0)
		return "is no path of the pool's: choose one below its routes";
	memcpy(out->method, pool->selftest, method);
	memcpy(out->path, target, path);
	if (target[path] == '?')
		memcpy(out->query, target + path + 1, strlen(target + path + 1));
	memcpy(out->route, route, strlen(route));
	out->timeout_ms = clamp_ms(pool->front.timeout_ms);
	return NULL;
}

const char *
config_selftest_parse(const struct config_pool *pool, struct heritage_selftest *selftest_out)
{
	memset(selftest_out, 0, sizeof(*selftest_out));
	return pool->selftest[0] == '\0' ? NULL : parse(pool, selftest_out);
}
