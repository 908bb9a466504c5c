/*
 * The series of waits between restarts: 100 ms, doubling up to 10 s. Pure.
 *
 * Runs in: supervisor. Keep the first wait short: clients see a 503 for as long as it lasts.
 */
#include "supervisor/backoff.h"

uint32_t
backoff_next(struct backoff *backoff, uint64_t healthy_ms)
{
	if (healthy_ms >= BACKOFF_HEALTHY_MS)
		backoff->delay_ms = 0;
	if (backoff->delay_ms == 0)
		backoff->delay_ms = BACKOFF_MIN_MS;
	else if (backoff->delay_ms < BACKOFF_MAX_MS / 2)
		backoff->delay_ms *= 2;
	else
		backoff->delay_ms = BACKOFF_MAX_MS;
	return backoff->delay_ms;
}
