/*
 * `routes`: what requests cost, by route. Faults, CPU and wall time are those of every request; the
 * bytes are of sampled ones.
 *
 * Runs in: supervisor. The front's counts are checked for shape by front_ask.
 */
#include "supervisor/control_memory.h"

#include <stdio.h>

#include "supervisor/config.h"
#include "supervisor/control.h"
#include "supervisor/control_commands.h"
#include "supervisor/front_ask.h"
#include "supervisor/json_set.h"
#include "supervisor/page_walk.h"
#include "supervisor/sample_store.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

/* The bound of the bucket in which the value of that rank lies; of the last one the largest value
 * is known. */
static uint64_t
quantile(const struct msg_histogram *histogram, uint64_t count, unsigned percent)
{
	const uint64_t rank = (count * percent + 99) / 100;
	uint64_t seen = 0;

	for (unsigned i = 0; i + 1 < PROTO_BUCKETS; i++) {
		const uint64_t bound = UINT64_C(1) << i;
		seen += histogram->buckets[i];
		if (seen >= rank)
			return bound < histogram->max ? bound : histogram->max;
	}
	return histogram->max;
}

static void
set_part(json_t *object, const char *name, const char *part, json_t *value)
{
	char key[48];

	snprintf(key, sizeof(key), "%s_%s", name, part);
	json_object_set_new(object, key, value);
}

static void
set_histogram(json_t *object, const char *name, const struct msg_histogram *histogram,
	      uint64_t count)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < PROTO_BUCKETS; i++)
		json_array_append_new(buckets, json_integer(histogram->buckets[i]));
	set_part(object, name, "mean",
		 json_integer((json_int_t)(count > 0 ? histogram->sum / count : 0)));
	set_part(object, name, "p50", json_integer((json_int_t)quantile(histogram, count, 50)));
	set_part(object, name, "p99", json_integer((json_int_t)quantile(histogram, count, 99)));
	set_part(object, name, "max", json_integer((json_int_t)histogram->max));
	set_part(object, name, "buckets", buckets);
}

static void
set_samples(json_t *object, const struct zygote_pool *pool, uint32_t index)
{
	static const struct sample_route none;
	const struct sample_store *store = pool->serving != NULL ? pool->serving->samples : NULL;
	const struct sample_route *route = store != NULL ? &store->routes[index] : &none;
	const uint64_t count = route->samples > 0 ? route->samples : 1;

	json_set_number(object, "samples", route->samples);
	json_set_number(object, "copied_bytes", route->pages[PAGES_COPIED] * PAGE_BYTES / count);
	json_set_number(object, "copied_max_bytes", route->most[PAGES_COPIED] * PAGE_BYTES);
	json_set_number(object, "new_bytes", route->pages[PAGES_NEW] * PAGE_BYTES / count);
	json_set_number(object, "new_max_bytes", route->most[PAGES_NEW] * PAGE_BYTES);
}

static json_t *
route_json(const struct zygote_pool *pool, const struct msg_route *route)
{
	json_t *object = json_object();

	json_set_text(object, "pool", pool->config->front.name);
	json_set_text(object, "route", pool->config->front.routes[route->route]);
	json_set_number(object, "requests", route->requests);
	set_histogram(object, "faults", &route->faults, route->requests);
	set_histogram(object, "cpu_us", &route->cpu_us, route->requests);
	set_histogram(object, "wall_us", &route->wall_us, route->requests);
	set_samples(object, pool, route->route);
	return object;
}

static void on_routes(void *owner, const struct front_answer *answer);

/* One pool after the other, so that the front's answers stay small. */
static void
ask_routes(struct control_request *request)
{
	if (request->pool < request->pools_end)
		front_ask_routes(request->supervisor->asks, request->pool, on_routes, request);
	else
		control_reply(request, json_pack("{s:b, s:O}", "ok", 1, "routes", request->list));
}

static void
on_routes(void *owner, const struct front_answer *answer)
{
	struct control_request *request = owner;
	const struct zygote_pool *pool = &request->supervisor->pools[request->pool];

	if (answer->error != NULL) {
		control_reply_error(request, "%s", answer->error);
		return;
	}
	for (uint32_t i = 0; i < answer->routes_count; i++)
		if (answer->routes[i].route < pool->config->front.routes_count)
			json_array_append_new(request->list, route_json(pool, &answer->routes[i]));
	request->pool++;
	ask_routes(request);
}

void
control_routes_run(struct control_request *request)
{
	if (!control_commands_take_pools(request))
		return;
	request->list = json_array();
	ask_routes(request);
}
