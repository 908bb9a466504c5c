/*
 * The new configuration takes the place of the old one.
 *
 * Runs in: supervisor. Nothing here can fail: what could was tried before.
 */
#include "supervisor/reload_parts.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/supervisor.h"
#include "supervisor/tls_files.h"
#include "supervisor/zygote_link.h"

/* ---- listeners ---- */

static bool
is_kept_elsewhere(const struct reload_plan *plan, uint32_t place)
{
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (plan->opens[i] && plan->socket_of[i] == (int)place)
			return true;
	return false;
}

/* While the configuration still names them. What moves to another name takes its file along. */
static void
replace_files(struct reload *reload)
{
	const struct reload_plan *plan = &reload->plan;
	struct listeners *listeners = &reload->supervisor->listeners;
	static const struct unix_socket_file none = { 0 };
	struct unix_socket_file files[PROTO_LISTENERS_MAX];

	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++) {
		files[i] = plan->closes[i] ? none : listeners->files[i];
		if (plan->opens[i])
			files[i] = plan->socket_of[i] >= 0 ? listeners->files[plan->socket_of[i]]
							   : reload->files[i];
		reload->files[i] = none;
	}
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (plan->closes[i] && !is_kept_elsewhere(plan, i))
			listeners_remove_file(&listeners->config->listeners[i],
					      &listeners->files[i]);
	memcpy(listeners->files, files, sizeof(files));
}

static void
replace_listeners(struct reload *reload)
{
	struct listeners *listeners = &reload->supervisor->listeners;
	const struct config *config = reload->supervisor->config;

	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++) {
		if (i >= listeners->count)
			listeners->fds[i] = -1;
		if (reload->plan.closes[i] && listeners->fds[i] >= 0) {
			close(listeners->fds[i]);
			listeners->fds[i] = -1;
		}
		if (!reload->plan.opens[i])
			continue;
		listeners->fds[i] = reload->listener_fds[i];
		reload->listener_fds[i] = -1;
		log_event(LOG_INFO, "listening", "listener=%s address=%s",
			  config->listeners[i].front.name, config->listeners[i].front.address);
	}
	listeners->count = config->listeners_count;
}

static void
replace_pools(struct reload *reload)
{
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		struct zygote_pool *pool = &reload->supervisor->pools[i];
		if (reload->plan.pools[i] == POOL_TAKEN_AWAY)
			zygote_proc_remove(pool);
		if (reload->plan.pools[i] == POOL_ADDED)
			pool->phase = POOL_LIVE;
		if (reload->plan.pools[i] == POOL_SETTINGS)
			recycle_on_configured(pool);
	}
}

static void
replace_certificates(struct reload *reload)
{
	struct supervisor *supervisor = reload->supervisor;

	tls_files_free(supervisor->tls);
	supervisor->tls = reload->certificates;
	reload->certificates = NULL;
	for (unsigned i = 0; supervisor->tls != NULL && i < supervisor->tls->notes_count; i++)
		log_event(LOG_WARNING, "notice", "text=\"%s\"", supervisor->tls->notes[i]);
}

static void
change_log_level(struct supervisor *supervisor)
{
	const enum log_level level = (enum log_level)supervisor->config->log_level;

	log_set_level(level);
	zygote_link_send_log_level(supervisor, level);
}

void
reload_drop_files(struct reload *reload)
{
	config_free(reload->next);
	tls_files_free(reload->certificates);
	reload->next = NULL;
	reload->certificates = NULL;
}

void
reload_apply(struct reload *reload)
{
	struct supervisor *supervisor = reload->supervisor;
	const bool changes_level = supervisor->config->log_level != reload->next->log_level;

	replace_files(reload);
	*supervisor->config = *reload->next;
	replace_certificates(reload);
	reload_drop_files(reload);
	replace_listeners(reload);
	replace_pools(reload);
	if (changes_level)
		change_log_level(supervisor);
}
