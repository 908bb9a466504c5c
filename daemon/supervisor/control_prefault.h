/*
 * JSON about pages that parked children touch beforehand.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_PREFAULT_H
#define ZYGOTED_SUPERVISOR_CONTROL_PREFAULT_H

#include <jansson.h>

struct msg_stats;
struct zygote_pool;

/* What was learned, and whether it is used. */
void control_prefault_add(json_t *object, const struct zygote_pool *pool,
			  const struct msg_stats *stats);

/* What it brings: requests of children with a table, and without. */
void control_prefault_add_effect(json_t *object, const struct msg_stats *stats);

#endif
