/*
 * Pools with sandbox = "log": what their children call outside their profile is reported and
 * carried out.
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_LOG_H
#define ZYGOTED_SUPERVISOR_POLICY_LOG_H

#include <stdbool.h>

#include "supervisor/policy_compile.h"
#include "supervisor/policy_seen.h"

struct config_pool;
struct msg_buffer;
struct policy_log;
struct supervisor;
struct zygote_generation;
struct zygote_pool;

/*
 * At start: finds out how calls can be reported, and notes for the operator which pools are in log
 * mode. NULL when none is. Dies when out of memory.
 */
struct policy_log *policy_log_new(struct supervisor *supervisor);
void policy_log_free(struct policy_log *log);

/* What a zygote's filter is to do with calls outside the profile. */
enum policy_rest policy_log_rest(const struct supervisor *supervisor,
				 const struct config_pool *pool);

/* A zygote has loaded its filter and passes the listener, which is kept. */
void policy_log_listen(struct zygote_generation *generation, struct msg_buffer *message);

/* The generation is gone. */
void policy_log_close(struct zygote_generation *generation);

/* What was seen of a pool, over all its generations; NULL for one that is not in log mode. */
const struct policy_seen *policy_log_seen(const struct zygote_pool *pool);

/* Whether the kernel's log has the calls, because it cannot tell us. */
bool policy_log_is_kernels(const struct supervisor *supervisor);

#endif
