/*
 * What front and zygotes inherit: the heritage structs, filled in from the configuration and
 * sealed.
 */
#ifndef ZYGOTED_SUPERVISOR_INHERIT_H
#define ZYGOTED_SUPERVISOR_INHERIT_H

#include <stdint.h>

struct config_pool;
struct supervisor;

/* Descriptors of sealed memfds, the caller's; -1 with errno. */
int inherit_seal_front(const struct supervisor *supervisor, uint32_t front, uint32_t epoch)
	__attribute__((warn_unused_result));
int inherit_seal_zygote(const struct supervisor *supervisor, const struct config_pool *pool,
			uint32_t generation) __attribute__((warn_unused_result));

#endif
