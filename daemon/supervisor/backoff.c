/*
 * The series of waits between restarts: 100 ms, doubling up to 1 s, or up to 10 s for what cannot even start. Pure.
 *
 * Runs in: supervisor. Keep the first wait short: clients see a 503 for as long as it lasts.
 */
#include "supervisor/backoff.h"

uint32_t
backoff_next(struct backoff *backoff, uint64_t healthy_ms)
{
	const uint32_t max_ms = healthy_ms > 0 ? BACKOFF_READY_MAX_MS : BACKOFF_MAX_MS;

	if (healthy_ms >= BACKOFF_HEALTHY_MS)
		backoff->delay_ms = 0;
	if (backoff->delay_ms == 0)
		backoff->delay_ms = BACKOFF_MIN_MS;
	else if (backoff->delay_ms < max_ms / 2)
		backoff->delay_ms *= 2;
	else
		backoff->delay_ms = max_ms;
	return backoff->delay_ms;
}
