/*
 * Tries out what a child costs whose zygote's memory is frozen, and one whose zygote's is not.
 */
#ifndef ZYGOTED_ZYGOTE_TRIAL_H
#define ZYGOTED_ZYGOTE_TRIAL_H

#include "image_plan.h"

struct trial_result {
	uint32_t
		inherited_us; /* CPU time from fork to a child's end, some of the memory touched: the mean */
	uint32_t frozen_us;
};

/* 0, or an errno: nothing is known then. Leaves no process. */
int trial_run(const struct image_plan *plan, struct trial_result *out)
	__attribute__((warn_unused_result));

#endif
