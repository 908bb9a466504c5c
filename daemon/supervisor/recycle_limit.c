/*
 * The intervals between recycles that nobody asked for: 10 s, doubling up to 10 min. Pure.
 *
 * Runs in: supervisor. The first one is never delayed: it is what ends a guessing attack.
 */
#include "supervisor/recycle_limit.h"

uint32_t
recycle_limit_wait(const struct recycle_limit *limit, uint64_t now_ms)
{
	const uint64_t due_ms = limit->last_ms + limit->interval_ms;

	return limit->interval_ms > 0 && due_ms > now_ms ? (uint32_t)(due_ms - now_ms) : 0;
}

void
recycle_limit_note(struct recycle_limit *limit, uint64_t now_ms, bool backs_off)
{
	const uint64_t calm_ms = limit->last_ms + 2 * (uint64_t)limit->interval_ms;

	if (limit->interval_ms == 0 || now_ms >= calm_ms)
		limit->interval_ms = RECYCLE_LIMIT_MIN_MS;
	else if (backs_off && limit->interval_ms < RECYCLE_LIMIT_MAX_MS / 2)
		limit->interval_ms *= 2;
	else if (backs_off)
		limit->interval_ms = RECYCLE_LIMIT_MAX_MS;
	limit->last_ms = now_ms;
}
