/*
 * All that can be found wrong before anything is started: what fails here costs nothing.
 *
 * Runs in: supervisor.
 */
#include "supervisor/reload_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/heritage.h"
#include "base/log.h"
#include "supervisor/available.h"
#include "supervisor/config_errors.h"
#include "supervisor/share.h"
#include "supervisor/supervisor.h"
#include "supervisor/tls_files.h"
#include "supervisor/zygote_start.h"

static int
refuse(struct reload *reload, const char *text)
{
	snprintf(reload->error, sizeof(reload->error), "%s", text);
	return -1;
}

/* All errors go to the log, the first one to who asked. */
static int
read_config(struct reload *reload, struct config **config_out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&text, &size);

	if (errors == NULL)
		return refuse(reload, "out of memory");
	int result = config_read(reload->supervisor->config->file, errors, config_out);
	if (fclose(errors) != 0 || text == NULL)
		result = result == 0 ? 0 : refuse(reload, "out of memory");
	for (char *rest = text, *line; result < 0 && (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '\0')
			continue;
		if (line == text)
			(void)refuse(reload, line);
		log_event(LOG_ERROR, "configuration is wrong", "at=\"%s\"", line);
	}
	free(text);
	return result;
}

/* OpenSSL has to be opened before the front's lock-down. */
static int
check_certificates(struct reload *reload)
{
	if (reload->certificates != NULL && reload->supervisor->tls == NULL)
		return refuse(reload, "the first listener with a certificate needs a restart");
	return 0;
}

static int
read_certificates(struct reload *reload)
{
	struct config_errors *errors = calloc(1, sizeof(*errors));

	if (errors == NULL)
		return refuse(reload, "out of memory");
	struct tls_files *files = NULL;
	const int result = tls_files_read(reload->next, errors, &files);
	if (result == 0)
		reload->certificates = files;
	else
		snprintf(reload->error, sizeof(reload->error), "%s:%u: %s%s", reload->next->file,
			 errors->items[0].line, errors->items[0].text,
			 errors->count > 1 ? " (and more: see zygoted -t)" : "");
	free(errors);
	return result == 0 ? check_certificates(reload) : -1;
}

static int
make_plan(struct reload *reload, const struct config *read)
{
	enum pool_phase phases[PROTO_POOLS_MAX];

	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++)
		phases[i] = reload->supervisor->pools[i].phase;
	reload->next = reload_plan_make(reload->supervisor->config, read, phases, &reload->plan,
					reload->error);
	return reload->next != NULL ? 0 : -1;
}

/* The file has been replaced since the pool's zygote loaded it. */
static bool
has_new_worker(const struct zygote_pool *pool, const char *path)
{
	struct worker_stamp stamp;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true; /* the attempt to load it tells why */
	zygote_start_stamp(fd, &stamp);
	close(fd);
	return memcmp(&stamp, &pool->serving->stamp, sizeof(stamp)) != 0;
}

static bool
needs_generation(const struct reload *reload, uint32_t i, const char *name, bool is_all)
{
	const struct zygote_pool *pool = &reload->supervisor->pools[i];
	const struct config_pool *config = &reload->next->pools[i];
	const enum pool_change change = reload->plan.pools[i];

	if (pool->phase != POOL_LIVE || change == POOL_TAKEN_AWAY)
		return false;
	return change == POOL_GENERATION || is_all || pool->serving == NULL ||
	       (name != NULL && strcmp(name, config->front.name) == 0) ||
	       has_new_worker(pool, config->worker_path);
}

static int
add_wishes(struct reload *reload, const char *name, bool is_all)
{
	bool is_known = name == NULL;

	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++) {
		const enum pool_change change = reload->plan.pools[i];
		is_known |= change != POOL_TAKEN_AWAY && name != NULL &&
			    reload->supervisor->pools[i].phase != POOL_REMOVED &&
			    strcmp(reload->next->pools[i].front.name, name) == 0;
		if (needs_generation(reload, i, name, is_all))
			reload->plan.pools[i] = POOL_GENERATION;
	}
	if (is_known)
		return 0;
	snprintf(reload->error, sizeof(reload->error), "there is no pool \"%.31s\"", name);
	return -1;
}

/* What a zygote of a new pool will need is not known; nor is that of one that was never up. */
static int
check_memory(struct reload *reload)
{
	uint64_t needed = 0, available;

	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		const struct zygote_pool *pool = &reload->supervisor->pools[i];
		if (reload->plan.pools[i] == POOL_GENERATION && pool->serving != NULL)
			needed += pool->serving->ready.state_bytes;
	}
	if (needed == 0 || available_bytes(&available) < 0)
		return 0;
	log_event(LOG_INFO, "memory for reload",
		  "needed_bytes=%" PRIu64 " available_bytes=%" PRIu64, needed, available);
	if (needed <= available)
		return 0;
	snprintf(reload->error, sizeof(reload->error),
		 "not enough memory for the new generations beside the old ones: "
		 "needed_bytes=%" PRIu64 " available_bytes=%" PRIu64
		 "; reload pool by pool, or restart",
		 needed, available);
	return -1;
}

/* A front that has none left for connections cannot start. */
static int
check_descriptors(struct reload *reload)
{
	const struct config *next = reload->next;
	uint64_t children = 0, needed;
	struct rlimit limit;

	for (uint32_t i = 0; i < next->pools_count; i++)
		children += share_of(next->pools[i].front.max_children, next->fronts, 0) +
			    share_of(next->pools[i].front.spare, next->fronts, 0);
	needed = heritage_front_descriptors(children, next->listeners_count);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || needed < limit.rlim_cur)
		return 0;
	snprintf(reload->error, sizeof(reload->error),
		 "the limit of %" PRIu64 " open files leaves none for connections: the pools need "
		 "%" PRIu64 "; lower max_children, or restart with a higher limit",
		 (uint64_t)limit.rlim_cur, needed);
	return -1;
}

static int
check_sandbox(struct reload *reload)
{
	for (uint32_t i = 0; i < reload->next->pools_count; i++)
		if (reload->next->pools[i].sandbox == SANDBOX_LOG &&
		    reload->supervisor->policy_log == NULL)
			return refuse(reload,
				      "the first pool with sandbox = \"log\" needs a restart");
	return 0;
}

static int
check_recycles(struct reload *reload)
{
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++)
		if (reload->plan.pools[i] == POOL_GENERATION &&
		    reload->supervisor->pools[i].recycle.running != RECYCLE_NONE)
			return refuse(reload, "a pool is being recycled; try again");
	return 0;
}

static int
open_listeners(struct reload *reload)
{
	const struct listeners *listeners = &reload->supervisor->listeners;
	char error[LISTENERS_ERROR_MAX];

	for (unsigned i = 0; i < PROTO_LISTENERS_MAX; i++) {
		if (!reload->plan.opens[i])
			continue;
		const int place = reload->plan.socket_of[i];
		snprintf(error, sizeof(error), "a listener's socket cannot be copied");
		reload->listener_fds[i] =
			place >= 0 ? fcntl(listeners->fds[place], F_DUPFD_CLOEXEC, 3)
				   : listeners_open_one(&reload->next->listeners[i],
							&reload->supervisor->identity,
							&reload->files[i], error);
		if (reload->listener_fds[i] < 0)
			return refuse(reload, error);
	}
	return 0;
}

int
reload_prepare(struct reload *reload, const char *pool, bool is_all)
{
	struct config *read = NULL;

	if (read_config(reload, &read) < 0)
		return -1;
	int result = make_plan(reload, read);
	config_free(read);
	if (result < 0 || read_certificates(reload) < 0 || add_wishes(reload, pool, is_all) < 0 ||
	    check_sandbox(reload) < 0 || check_descriptors(reload) < 0 ||
	    check_recycles(reload) < 0 || check_memory(reload) < 0 || open_listeners(reload) < 0)
		return -1;
	return 0;
}
