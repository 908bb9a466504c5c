/*
 * What each front gets of a limit that holds for all of them together. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_SHARE_H
#define ZYGOTED_SUPERVISOR_SHARE_H

#include "base/heritage.h"

/*
 * The share of front `index` of `fronts`: they differ by one at most, and their sum is `value`. 0 is everybody's 0 (never, or
 * none). A value below `fronts`, which config_check refuses for all limits but thresholds, is 1 for each.
 */
uint32_t share_of(uint32_t value, uint32_t fronts, uint32_t index);

/*
 * Turns a pool's limits into a front's. Counts that something happens at (breaker, recycle_requests, recycle_faults) are shared
 * as well: no front knows of the others', and all together must not let more pass than was configured.
 */
void share_pool(struct heritage_pool *pool, uint32_t fronts, uint32_t index);

#endif
