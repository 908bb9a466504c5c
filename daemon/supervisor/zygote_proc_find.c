/*
 * Looking things up among pools and generations: nothing here has an effect.
 *
 * Runs in: supervisor.
 */
#include "supervisor/zygote_proc.h"

#include <string.h>

#include "supervisor/config.h"
#include "supervisor/supervisor.h"

struct zygote_pool *
zygote_proc_next(const struct supervisor *supervisor, const struct zygote_pool *pool)
{
	for (uint32_t i = pool != NULL ? pool->index + 1 : 0; i < PROTO_POOLS_MAX; i++)
		if (supervisor->pools[i].phase != POOL_FREE)
			return &supervisor->pools[i];
	return NULL;
}

struct zygote_pool *
zygote_proc_find(const struct supervisor *supervisor, const char *name)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (pool->phase == POOL_LIVE && strcmp(pool->config->front.name, name) == 0)
			return pool;
	return NULL;
}

pid_t
zygote_proc_pid(const struct zygote_generation *generation, uint32_t index)
{
	return index == 0 ? generation->process.pid : generation->siblings[index - 1];
}

struct zygote_generation *
zygote_proc_find_process(const struct supervisor *supervisor, pid_t pid)
{
	struct zygote_generation *generation;

	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		LIST_FOREACH (generation, &pool->generations, link)
			if (generation->process.pid == pid)
				return generation;
	return NULL;
}

struct zygote_generation *
zygote_proc_find_state(const struct zygote_pool *pool, enum generation_state state)
{
	struct zygote_generation *generation;

	LIST_FOREACH (generation, &pool->generations, link)
		if (generation->state == state && !generation->is_held)
			return generation;
	return NULL;
}

bool
zygote_proc_are_gone(const struct supervisor *supervisor)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (!LIST_EMPTY(&pool->generations))
			return false;
	return true;
}

const char *
zygote_proc_state_name(const struct zygote_pool *pool)
{
	if (pool->phase == POOL_REMOVED)
		return "removed";
	if (pool->serving != NULL)
		return "serving";
	if (pool->supervisor->state != SUPERVISOR_RUNNING)
		return "stopped";
	/*
	 * One that was never up loads; after a failure it stays failed until a generation serves.
	 */
	return pool->error[0] != '\0' ? "failed" : "loading";
}

const struct zygote_generation *
zygote_proc_shown(const struct zygote_pool *pool)
{
	return pool->serving != NULL ? pool->serving : LIST_FIRST(&pool->generations);
}
