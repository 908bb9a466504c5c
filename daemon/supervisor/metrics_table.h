/*
 * All metrics: one table. The manual page zygoted-metrics(7), the dashboard and the alert rules are
 * checked against what it gives.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_TABLE_H
#define ZYGOTED_SUPERVISOR_METRICS_TABLE_H

#include "base/proto.h"

#include <stddef.h>

struct metrics_snapshot;

/*
 * The whole text. The caller's to free; NULL when out of memory, or longer than PROTO_METRICS_MAX.
 */
char *metrics_table_render(const struct metrics_snapshot *snapshot, enum metrics_format format,
			   size_t *length_out) __attribute__((warn_unused_result));

#endif
