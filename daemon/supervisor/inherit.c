/*
 * From the configuration to the heritage of one process.
 *
 * Runs in: supervisor. Only what a process needs goes in: the front never learns a worker's
 * options, a zygote never the routes.
 */
#include "supervisor/inherit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/heritage.h"
#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/config_selftest.h"
#include "supervisor/policy.h"
#include "supervisor/policy_log.h"
#include "supervisor/prefault.h"
#include "supervisor/share.h"
#include "supervisor/supervisor.h"
#include "supervisor/tls_files.h"
#include "supervisor/zygote_proc.h"

/* Seals, then frees the struct. */
static int
seal(const char *name, void *heritage, size_t size)
{
	int fd = heritage_seal(name, heritage, size);
	int saved = errno;

	free(heritage);
	errno = saved;
	return fd;
}

/* A pool that is not live keeps its place, and gets no request. */
static void
take_pool(const struct zygote_pool *pool, struct heritage_pool *out)
{
	memset(out, 0, sizeof(*out));
	if (pool->phase == POOL_FREE)
		return;
	*out = pool->config->front;
	out->prefault_bytes = prefault_bytes(pool->supervisor, pool->config);
	out->runs_programs = policy_runs_programs(pool->config->profile);
	if (pool->phase != POOL_LIVE)
		out->routes_count = 0;
}

int
inherit_seal_front(const struct supervisor *supervisor, uint32_t front, uint32_t epoch)
{
	const struct config *config = supervisor->config;
	struct heritage_front *heritage = malloc(sizeof(*heritage));

	if (heritage == NULL)
		return -1;
	*heritage = config->limits;
	heritage->magic = HERITAGE_MAGIC;
	heritage->size = sizeof(*heritage);
	heritage->epoch = epoch;
	heritage->front = front;
	heritage->fronts = config->fronts;
	heritage->connections_max = share_of(heritage->connections_max, config->fronts, front);
	heritage->handshakes_max = share_of(heritage->handshakes_max, config->fronts, front);
	heritage->gather_bytes /= config->fronts;
	heritage->log_level = log_level();
	heritage->log_journal = (uint32_t)supervisor->log_is_journal;
	heritage->sandbox = 1;
	heritage->tls_bytes = tls_files_bytes(supervisor->tls);
	heritage->pools_count = config->pools_count;
	heritage->listeners_count = config->listeners_count;
	for (uint32_t i = 0; i < config->pools_count; i++) {
		take_pool(&supervisor->pools[i], &heritage->pools[i]);
		share_pool(&heritage->pools[i], config->fronts, front);
	}
	for (uint32_t i = 0; i < config->listeners_count; i++)
		heritage->listeners[i] = config->listeners[i].front;
	return seal("zygoted-front", heritage, sizeof(*heritage));
}

/* RLIMIT_CPU counts whole seconds: round up, so that nobody gets less than was configured. */
static uint32_t
cpu_seconds(uint32_t cpu_ms)
{
	return cpu_ms / 1000 + (cpu_ms % 1000 != 0);
}

int
inherit_seal_zygote(const struct supervisor *supervisor, const struct config_pool *pool,
		    uint32_t generation)
{
	struct heritage_zygote *heritage = calloc(1, sizeof(*heritage));

	if (heritage == NULL)
		return -1;
	if (config_selftest_parse(pool, &heritage->selftest) != NULL)
		bug("a self-test that was not checked");
	heritage->magic = HERITAGE_MAGIC;
	heritage->size = sizeof(*heritage);
	heritage->generation = generation;
	heritage->log_level = log_level();
	heritage->log_journal = (uint32_t)supervisor->log_is_journal;
	heritage->fronts = supervisor->config->fronts;
	heritage->zygotes = pool->front.zygotes;
	heritage->max_children = share_of(pool->front.max_children, heritage->fronts, 0);
	heritage->sandbox = pool->sandbox;
	heritage->image = pool->image;
	heritage->prefaults = prefault_bytes(supervisor, pool) > 0;
	heritage->sandbox_notifies = policy_log_rest(supervisor, pool) == POLICY_REST_NOTIFY;
	heritage->required_layers = supervisor->config->required_layers;
	heritage->cpu_seconds = cpu_seconds(pool->cpu_ms);
	heritage->memory_bytes = pool->memory_bytes;
	heritage->reads_files = policy_reads_files(pool->profile);
	heritage->loads_code = policy_loads_code(pool->profile);
	heritage->runs_programs = policy_runs_programs(pool->profile);
	heritage->open_files = heritage->reads_files ? pool->open_files : 0;
	heritage->user_ns_error = supervisor->namespaces.user_error;
	heritage->pid_ns_error = supervisor->namespaces.pid_error;
	memcpy(heritage->pool, pool->front.name, sizeof(heritage->pool));
	memcpy(heritage->worker, pool->worker, sizeof(heritage->worker));
	memcpy(heritage->worker_path, pool->worker_path, sizeof(heritage->worker_path));
	heritage->options_count = pool->options_count;
	heritage->options_bytes = pool->options_bytes;
	memcpy(heritage->options, pool->options, sizeof(heritage->options));
	heritage->read_paths_count = pool->read_paths_count;
	heritage->read_paths_bytes = pool->read_paths_bytes;
	memcpy(heritage->read_paths, pool->read_paths, sizeof(heritage->read_paths));
	return seal("zygoted-zygote", heritage, sizeof(*heritage));
}
