/*
 * Figures to JSON. Field names carry their unit and do not change: programs rely on them.
 *
 * Runs in: supervisor. Strings that come from elsewhere were made printable where they were
 * received.
 */
#include "supervisor/control_figures.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/heritage.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/config_keys.h"
#include "supervisor/control_histogram.h"
#include "supervisor/control_image.h"
#include "supervisor/control_prefault.h"
#include "supervisor/supervisor.h"
#include "supervisor/reload.h"
#include "supervisor/tls_files.h"
#include "supervisor/zygote_proc.h"

/*
 * Whose doing an outcome is: refused before a child had the request, failed in the child, or given
 * up by the client.
 */
enum outcome_class { CLASS_OK, CLASS_REFUSED, CLASS_FAILED, CLASS_LEFT, CLASS_MAX };

/* By the status that the client saw, so that a new outcome gets its class by itself. */
static enum outcome_class
classify(enum outcome outcome)
{
	const int status = proto_outcome_status(outcome);

	if (outcome == OUTCOME_OK)
		return CLASS_OK;
	if (status == 0)
		return CLASS_LEFT;
	return proto_outcome_is_refusal(outcome) ? CLASS_REFUSED : CLASS_FAILED;
}

static const char *const layer_states[] = {
	[LAYER_MISSING] = "missing",
	[LAYER_APPLIED] = "applied",
	[LAYER_LOGGING] = "logging",
};

/* json_int_t is signed; no counter gets there, but a wrong one must not turn negative. */
static json_int_t
number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static uint64_t
mean(uint64_t sum, uint64_t count)
{
	return count > 0 ? sum / count : 0;
}

static void
set_number(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer(number(value)));
}

static void
set_real(json_t *object, const char *name, double value)
{
	json_object_set_new(object, name, json_real(value));
}

static void
set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_string(text));
}

static const char *
sandbox_name(const struct zygote_pool *pool)
{
	return config_key_find(CONFIG_POOL, "sandbox")->choice(pool->config->sandbox);
}

/* "" without TLS. */
static const char *
tls_text(const struct heritage_listener *listener)
{
	return listener->tls == 0
		       ? ""
		       : config_key_find(CONFIG_LISTEN, "tls_min")->choice(listener->tls_minimum);
}

static const char *
protocol_name(const struct heritage_listener *listener)
{
	return config_key_find(CONFIG_LISTEN, "protocol")->choice(listener->protocol);
}

static json_t *
listeners_json(const struct config *config)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < config->listeners_count; i++) {
		if (config->listeners[i].front.name[0] == '\0')
			continue;
		const struct heritage_listener *listener = &config->listeners[i].front;
		json_t *object = json_object();
		set_text(object, "name", listener->name);
		set_text(object, "address", listener->address);
		set_text(object, "protocol", protocol_name(listener));
		set_text(object, "pool", listener->pool);
		set_text(object, "tls", tls_text(listener));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *
layer_json(const struct zygote_pool *pool, enum layer layer, const struct msg_layer *state)
{
	const unsigned known = state->state <= LAYER_LOGGING ? state->state : LAYER_MISSING;
	json_t *object = json_object();

	set_text(object, "pool", pool->config->front.name);
	set_text(object, "layer", proto_layer_name(layer));
	set_text(object, "state", layer_states[known]);
	set_text(object, "reason", state->error != 0 ? strerror(state->error) : "");
	set_text(object, "text", proto_layer_text(layer));
	return object;
}

static json_t *
layers_json(const struct supervisor *supervisor)
{
	json_t *list = json_array();

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		for (int i = 0; pool->serving != NULL && i < LAYER_MAX; i++) {
			const struct msg_layer *state = &pool->serving->ready.layers[i];
			json_array_append_new(list, layer_json(pool, (enum layer)i, state));
		}
	}
	return list;
}

static json_t *
notices_json(const struct supervisor *supervisor)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < supervisor->notices_count; i++)
		json_array_append_new(list, json_string(supervisor->notices[i]));
	return list;
}

json_t *
control_figures_info(const struct supervisor *supervisor)
{
	const struct config *config = supervisor->config;
	json_t *object = json_pack("{s:b}", "ok", 1);
	struct utsname kernel;

	set_text(object, "version", ZYGOTED_VERSION);
	set_number(object, "pid", (uint64_t)getpid());
	set_real(object, "uptime_seconds", (double)(clock_ms() - supervisor->started_ms) / 1000);
	set_text(object, "user", supervisor->identity.name);
	set_text(object, "config", config->file);
	set_text(object, "control", config->control);
	set_text(object, "kernel", uname(&kernel) == 0 ? kernel.release : "?");
	json_object_set_new(object, "listeners", listeners_json(config));
	json_object_set_new(object, "images", control_image_list(supervisor));
	json_object_set_new(object, "layers", layers_json(supervisor));
	json_object_set_new(object, "notices", notices_json(supervisor));
	return object;
}

static json_t *
outcomes_json(const uint64_t outcomes[OUTCOME_MAX])
{
	json_t *object = json_object();

	for (int i = 0; i < OUTCOME_MAX; i++)
		json_object_set_new(object, proto_outcome_name((enum outcome)i),
				    json_integer(number(outcomes[i])));
	return object;
}

json_t *
control_figures_front(const struct msg_stats_end *stats, uint32_t fronts)
{
	json_t *object = json_object();

	set_number(object, "fronts", fronts);
	set_number(object, "connections", stats->connections);
	set_number(object, "active", stats->active);
	set_number(object, "accepted", stats->accepted);
	set_number(object, "refused", stats->refused);
	set_number(object, "requests", stats->requests);
	set_number(object, "penalties", stats->penalties);
	set_number(object, "handshaking", stats->handshaking);
	set_number(object, "handshakes_waiting", stats->handshakes_waiting);
	set_number(object, "handshakes_ok", stats->handshakes_ok);
	set_number(object, "handshakes_resumed", stats->handshakes_resumed);
	set_number(object, "handshakes_failed", stats->handshakes_failed);
	set_number(object, "handshakes_timed_out", stats->handshakes_timed_out);
	set_number(object, "access_lost", stats->access_lost);
	set_real(object, "uptime_seconds", (double)stats->uptime_ms / 1000);
	json_object_set_new(object, "outcomes", outcomes_json(stats->outcomes));
	return object;
}

json_t *
control_figures_requests(const struct zygote_pool *pool, const struct msg_stats *stats,
			 const struct msg_stats_times *times)
{
	json_t *object = json_object();
	uint64_t sums[CLASS_MAX] = { 0 };

	for (int i = 0; i < OUTCOME_MAX; i++)
		sums[classify((enum outcome)i)] += stats->outcomes[i];
	/* Means are over the requests that a child had. */
	const uint64_t ran = sums[CLASS_OK] + sums[CLASS_FAILED] + sums[CLASS_LEFT];
	set_text(object, "pool", pool->config->front.name);
	set_text(object, "sandbox", sandbox_name(pool));
	set_number(object, "requests", stats->requests);
	set_number(object, "ok", sums[CLASS_OK]);
	set_number(object, "refused", sums[CLASS_REFUSED]);
	set_number(object, "failed", sums[CLASS_FAILED]);
	set_number(object, "run_mean_us", mean(stats->run_us, ran));
	set_number(object, "run_max_us", stats->run_us_max);
	set_number(object, "queue_mean_us", mean(stats->queue_us, stats->requests));
	set_number(object, "queue_max_us", stats->queue_us_max);
	set_number(object, "minor_faults_mean", mean(stats->minor_faults, ran));
	set_number(object, "cpu_mean_us", mean(stats->cpu_us, ran));
	set_number(object, "bytes_in", stats->bytes_in);
	set_number(object, "bytes_out", stats->bytes_out);
	set_number(object, "output_truncated", stats->output_truncated);
	control_prefault_add_effect(object, stats);
	json_object_set_new(object, "outcomes", outcomes_json(stats->outcomes));
	control_histogram_set(object, times);
	return object;
}

static const char *
breaker_text(const struct zygote_pool *pool, const struct msg_stats *stats)
{
	return pool->config->front.breaker_crashes == 0
		       ? "off"
		       : proto_breaker_state_name((enum breaker_state)stats->breaker);
}

json_t *
control_figures_pool(const struct zygote_pool *pool, const struct msg_stats *stats)
{
	const struct zygote_generation *shown = zygote_proc_shown(pool);
	const bool loaded = shown != NULL && shown->ready_ms != 0;
	json_t *object = json_object();

	set_text(object, "pool", pool->config->front.name);
	set_text(object, "worker", pool->config->worker);
	set_text(object, "sandbox", sandbox_name(pool));
	set_text(object, "state", zygote_proc_state_name(pool));
	set_number(object, "generation", shown != NULL ? shown->number : pool->last_number);
	set_number(object, "pid", shown != NULL ? (uint64_t)shown->process.pid : 0);
	set_number(object, "zygotes", loaded ? 1 + shown->siblings_count : 0);
	set_real(object, "load_seconds", loaded ? (double)shown->ready.load_us / 1e6 : 0);
	set_number(object, "state_bytes", loaded ? shown->ready.state_bytes : 0);
	control_image_add(object, shown);
	set_number(object, "spare", stats->spare);
	set_number(object, "busy", stats->busy);
	set_number(object, "starting", stats->starting);
	set_number(object, "dying", stats->dying);
	set_number(object, "draining", stats->draining);
	set_number(object, "queued", stats->queued);
	set_number(object, "max_children", pool->config->front.max_children);
	set_number(object, "forks", stats->forks);
	set_number(object, "fork_failures", stats->fork_failures);
	set_number(object, "restarts", pool->restarts);
	set_number(object, "recycles", pool->recycle.count);
	set_text(object, "recycle_reason", proto_recycle_name(pool->recycle.last));
	set_text(object, "breaker", breaker_text(pool, stats));
	set_number(object, "breaker_opened", stats->breaker_opened);
	control_prefault_add(object, pool, stats);
	set_text(object, "error", pool->error);
	return object;
}

json_t *
control_figures_recycle(const struct zygote_pool *pool)
{
	const struct zygote_generation *serving = pool->serving;
	json_t *object = json_pack("{s:b}", "ok", 1);

	set_text(object, "pool", pool->config->front.name);
	set_number(object, "generation", serving->number);
	set_number(object, "previous", pool->recycle.previous);
	set_number(object, "pid", (uint64_t)serving->process.pid);
	set_real(object, "load_seconds", (double)serving->ready.load_us / 1e6);
	return object;
}

static json_t *
changed_pools(const struct supervisor *supervisor, const struct reload_plan *plan)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		const struct zygote_pool *pool = &supervisor->pools[i];
		json_t *object;
		if (plan->pools[i] == POOL_SAME)
			continue;
		object = json_object();
		set_text(object, "pool", pool->config->front.name);
		set_text(object, "change", reload_plan_change_name(plan->pools[i]));
		set_number(object, "generation", pool->serving != NULL ? pool->serving->number : 0);
		json_array_append_new(list, object);
	}
	return list;
}

json_t *
control_figures_reload(const struct supervisor *supervisor, const struct reload_result *result)
{
	json_t *object = json_pack("{s:b}", "ok", 1);
	const struct tls_files *files = result->tls;
	json_t *notices = json_array();

	set_text(object, "state", reload_is_running(supervisor) ? "loading" : "done");
	set_real(object, "took_seconds", (double)result->took_ms / 1e3);
	set_number(object, "certificates", files != NULL ? files->certificates : 0);
	for (unsigned i = 0; files != NULL && i < files->notes_count; i++)
		json_array_append_new(notices, json_string(files->notes[i]));
	json_object_set_new(object, "notices", notices);
	json_object_set_new(object, "pools", changed_pools(supervisor, result->plan));
	return object;
}

json_t *
control_figures_child(const struct zygote_pool *pool, const struct msg_child *child, int pid)
{
	json_t *object = json_object();

	set_text(object, "pool", pool->config->front.name);
	set_number(object, "pid", pid > 0 ? (uint64_t)pid : 0);
	set_text(object, "state", proto_child_state_name((enum child_state)child->state));
	set_number(object, "generation", child->generation);
	set_number(object, "request", child->request);
	set_number(object, "age_us", child->age_us);
	set_number(object, "run_us", child->run_us);
	return object;
}

/* IPv4 is mapped; of IPv6 the network alone is known. */
static void
format_source(const uint8_t address[16], char *out, size_t size)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, address + sizeof(mapped), out, (socklen_t)size);
	else if (inet_ntop(AF_INET6, address, out, (socklen_t)size) != NULL)
		snprintf(out + strlen(out), size - strlen(out), "/64");
}

json_t *
control_figures_penalty(const struct msg_penalty *penalty)
{
	json_t *object = json_object();
	char source[INET6_ADDRSTRLEN + 4] = "";

	format_source(penalty->address, source, sizeof(source));
	set_text(object, "source", source);
	set_number(object, "points", penalty->points);
	set_real(object, "refused_for_seconds", (double)penalty->left_ms / 1000);
	set_number(object, "relapses", penalty->relapses);
	set_number(object, "refused", penalty->refused);
	return object;
}
