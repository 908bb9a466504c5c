/*
 * Runs in: supervisor. Pure. The rule: a pool or listener keeps its place as long as it is
 * configured, because front, messages and generations know it by that.
 */
#include "supervisor/reload_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

static __attribute__((format(printf, 2, 3))) int
refuse(char error[RELOAD_ERROR_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, RELOAD_ERROR_MAX, format, arguments);
	va_end(arguments);
	return -1;
}

/* ---- what a running daemon cannot change ---- */

static int
check_fixed(const struct config *now, const struct config *next, char error[RELOAD_ERROR_MAX])
{
	const char *key = NULL;

	if (strcmp(now->user, next->user) != 0)
		key = "user";
	else if (strcmp(now->control, next->control) != 0)
		key = "control";
	else if (strcmp(now->control_group, next->control_group) != 0)
		key = "control_group";
	else if (strcmp(now->zygote_program, next->zygote_program) != 0)
		key = "zygote_program";
	else if (now->required_layers != next->required_layers)
		key = "require";
	else if (now->fronts != next->fronts)
		key = "fronts";
	else if (strcmp(now->access_log, next->access_log) != 0)
		key = "access_log";
	else if (now->limits.access_format != next->limits.access_format)
		key = "access_format";
	else if (now->limits.ticket_lifetime_ms != next->limits.ticket_lifetime_ms)
		key = "ticket_lifetime";
	if (key == NULL)
		return 0;
	return refuse(error, "%s: a new value of %s needs a restart", next->file, key);
}

/* ---- pools ---- */

/* Leaves what a zygote is started with. What is not known to be the front's alone counts. */
static void
keep_zygotes_part(struct config_pool *pool)
{
	struct heritage_pool *front = &pool->front;

	pool->line = pool->routes_given = 0;
	pool->recycle_after_ms = 0;
	front->spare = front->queue = front->queue_timeout_ms = front->timeout_ms = 0;
	front->recycle_requests = front->recycle_faults = 0;
	front->breaker_crashes = front->breaker_window_ms = 0;
	front->body_max_bytes = front->reply_max_bytes = front->output_bytes = 0;
	front->routes_count = 0;
	memset(front->routes, 0, sizeof(front->routes));
}

/* The line in the file is no difference. */
static enum pool_change
compare_pools(const struct config_pool *now, const struct config_pool *next)
{
	struct config_pool *copies = malloc(2 * sizeof(*copies));
	enum pool_change change = POOL_GENERATION;

	if (copies == NULL)
		return change; /* the safe answer */
	copies[0] = *now;
	copies[1] = *next;
	copies[0].line = copies[1].line = 0;
	if (memcmp(&copies[0], &copies[1], sizeof(*copies)) == 0) {
		change = POOL_SAME;
	} else {
		keep_zygotes_part(&copies[0]);
		keep_zygotes_part(&copies[1]);
		if (memcmp(&copies[0], &copies[1], sizeof(*copies)) == 0)
			change = POOL_SETTINGS;
	}
	free(copies);
	return change;
}

static int
find_pool(const struct config *config, const enum pool_phase phases[PROTO_POOLS_MAX],
	  const char *name)
{
	for (int i = 0; i < PROTO_POOLS_MAX; i++)
		if (phases[i] == POOL_LIVE && strcmp(config->pools[i].front.name, name) == 0)
			return i;
	return -1;
}

static int
find_free_pool(const enum pool_phase phases[PROTO_POOLS_MAX], const struct reload_plan *plan)
{
	for (int i = 0; i < PROTO_POOLS_MAX; i++)
		if (phases[i] == POOL_FREE && plan->pools[i] == POOL_SAME)
			return i;
	return -1;
}

static int
place_pools(const struct config *now, const struct config *read,
	    const enum pool_phase phases[PROTO_POOLS_MAX], struct config *next,
	    struct reload_plan *plan, char error[RELOAD_ERROR_MAX])
{
	for (int i = 0; i < PROTO_POOLS_MAX; i++) {
		plan->pools[i] = phases[i] == POOL_LIVE ? POOL_TAKEN_AWAY : POOL_SAME;
		if (phases[i] != POOL_FREE) {
			next->pools[i] = now->pools[i];
			next->pools_count = (uint32_t)i + 1;
		}
	}
	for (uint32_t i = 0; i < read->pools_count; i++) {
		const struct config_pool *pool = &read->pools[i];
		int place = find_pool(now, phases, pool->front.name);
		if (place >= 0) {
			plan->pools[place] = compare_pools(&now->pools[place], pool);
		} else if ((place = find_free_pool(phases, plan)) >= 0) {
			plan->pools[place] = POOL_ADDED;
		} else {
			return refuse(error,
				      "no place for pool \"%s\": removed pools still drain; "
				      "try again",
				      pool->front.name);
		}
		next->pools[place] = *pool;
		if (next->pools_count <= (uint32_t)place)
			next->pools_count = (uint32_t)place + 1;
	}
	return 0;
}

/* ---- listeners ---- */

static int
find_listener(const struct config *config, const char *name)
{
	for (int i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (config->listeners[i].front.name[0] != '\0' &&
		    strcmp(config->listeners[i].front.name, name) == 0)
			return i;
	return -1;
}

static int
find_address(const struct config *config, const char *address)
{
	for (int i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (config->listeners[i].front.name[0] != '\0' &&
		    strcmp(config->listeners[i].front.address, address) == 0)
			return i;
	return -1;
}

static int
find_free_listener(const struct config *now, const struct config *next)
{
	for (int i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (now->listeners[i].front.name[0] == '\0' &&
		    next->listeners[i].front.name[0] == '\0')
			return i;
	return -1;
}

/*
 * The file of a Unix socket that is there belongs to who made it, and stands for what was configured then: there is no going back
 * from another one, should the reload fail.
 */
static int
check_unix(const struct config *now, const struct config *read, const struct config_listener *next,
	   char error[RELOAD_ERROR_MAX])
{
	const int place = find_address(now, next->front.address);

	if (place < 0 || strncmp(next->front.address, ADDRESS_UNIX, strlen(ADDRESS_UNIX)) != 0)
		return 0;
	if (now->listeners[place].access != next->access ||
	    strcmp(now->listeners[place].group, next->group) != 0)
		return refuse(error,
			      "%s:%u: listener \"%s\": a new access or group of a Unix socket "
			      "needs a restart",
			      read->file, next->line, next->front.name);
	return 0;
}

/* One that has moved to another name keeps its socket, and the connections that wait at it. */
static int
place_listeners(const struct config *now, const struct config *read, struct config *next,
		struct reload_plan *plan, char error[RELOAD_ERROR_MAX])
{
	for (int i = 0; i < PROTO_LISTENERS_MAX; i++)
		plan->closes[i] = now->listeners[i].front.name[0] != '\0';
	for (uint32_t i = 0; i < read->listeners_count; i++) {
		const struct config_listener *listener = &read->listeners[i];
		const int known = find_listener(now, listener->front.name);
		const int place = known >= 0 ? known : find_free_listener(now, next);
		if (check_unix(now, read, listener, error) < 0)
			return -1;
		if (place < 0)
			return refuse(error,
				      "no place for listener \"%s\": remove others first, in "
				      "a reload of its own",
				      listener->front.name);
		plan->opens[place] = known < 0 || strcmp(now->listeners[place].front.address,
							 listener->front.address) != 0;
		plan->closes[place] &= plan->opens[place];
		plan->socket_of[place] = find_address(now, listener->front.address);
		next->listeners[place] = *listener;
		if (next->listeners_count <= (uint32_t)place)
			next->listeners_count = (uint32_t)place + 1;
	}
	return 0;
}

struct config *
reload_plan_make(const struct config *now, const struct config *read,
		 const enum pool_phase phases[PROTO_POOLS_MAX], struct reload_plan *plan_out,
		 char error[RELOAD_ERROR_MAX])
{
	struct config *next = calloc(1, sizeof(*next));

	if (next == NULL) {
		(void)refuse(error, "out of memory");
		return NULL;
	}
	memset(plan_out, 0, sizeof(*plan_out));
	*next = *read;
	memset(next->pools, 0, sizeof(next->pools));
	memset(next->listeners, 0, sizeof(next->listeners));
	next->pools_count = next->listeners_count = 0;
	if (check_fixed(now, read, error) == 0 &&
	    place_pools(now, read, phases, next, plan_out, error) == 0 &&
	    place_listeners(now, read, next, plan_out, error) == 0)
		return next;
	config_free(next);
	return NULL;
}

const char *
reload_plan_change_name(enum pool_change change)
{
	static const char *const names[] = {
		[POOL_SAME] = "",
		[POOL_SETTINGS] = "settings",
		[POOL_GENERATION] = "generation",
		[POOL_ADDED] = "added",
		[POOL_TAKEN_AWAY] = "removed",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == POOL_CHANGE_MAX, "changes");

	return (unsigned)change < POOL_CHANGE_MAX ? names[change] : "?";
}
