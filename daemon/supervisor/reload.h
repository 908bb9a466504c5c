/*
 * Reload: the configuration is read again, and what has changed in it takes effect while requests
 * are served, all of it or nothing.
 *
 * Zygotes that have to be loaded anew are, beside those that serve; when each of them has parked a
 * child the whole takes effect at once. Whatever fails before, leaves everything as it was.
 */
#ifndef ZYGOTED_SUPERVISOR_RELOAD_H
#define ZYGOTED_SUPERVISOR_RELOAD_H

#include "supervisor/reload_plan.h"

#include <stdbool.h>
#include <stdint.h>

struct front_proc;
struct reload;
struct supervisor;
struct tls_files;
struct zygote_generation;

/* How it ended. Lives until the callback returns. */
struct reload_result {
	const char *error; /* NULL: all of it is in effect */
	const struct reload_plan *plan;
	const struct tls_files *tls; /* certificates in use; NULL: there are none */
	uint64_t took_ms;
};

typedef void reload_done_fn(void *owner, const struct reload_result *result);

/* NULL when out of memory. */
struct reload *reload_new(struct supervisor *supervisor);
void reload_free(struct reload *reload);

/*
 * Starts one. `pool`: its zygote is loaded anew whether it changed or not; NULL: none such; or with `is_all` each one.
 * `done` (may be NULL) is called once: at once when there is nothing to wait for, otherwise when the new zygotes serve or
 * one has failed.
 */
void reload_start(struct reload *reload, const char *pool, bool is_all, reload_done_fn *done,
		  void *owner);

/* Who asked and does not want to wait for zygotes to load is told that they do. Without effect on one that was told. */
void reload_answer_now(struct reload *reload, const void *owner);

bool reload_is_running(const struct supervisor *supervisor);

/* What becomes of generations: one that is held has a parked child; one serves; one never will. */
void reload_on_held(struct zygote_generation *generation);
void reload_on_serving(struct zygote_generation *generation);
void reload_on_failed(struct zygote_generation *generation);
/* A front uses the new configuration. */
void reload_on_reconfigured(const struct front_proc *front, uint64_t cookie);
/* A front has died, and with it what held generations had there. */
void reload_on_front_lost(const struct front_proc *front);

/* The daemon stops. */
void reload_stop(struct reload *reload);

#endif
