/*
 * Shares of limits.
 *
 * Runs in: supervisor. Pure.
 */
#include "supervisor/share.h"

#include <stddef.h>

uint32_t
share_of(uint32_t value, uint32_t fronts, uint32_t index)
{
	const uint32_t share = value / fronts + (index < value % fronts);

	return share == 0 && value > 0 ? 1 : share;
}

void
share_pool(struct heritage_pool *pool, uint32_t fronts, uint32_t index)
{
	uint32_t *const shared[] = { &pool->spare,	    &pool->max_children,
				     &pool->queue,	    &pool->recycle_requests,
				     &pool->recycle_faults, &pool->breaker_crashes };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		*shared[i] = share_of(*shared[i], fronts, index);
}
