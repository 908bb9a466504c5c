/*
 * Moves memory into the image: a sealed file of memory, mapped privately at the same addresses.
 */
#ifndef ZYGOTED_ZYGOTE_FREEZE_H
#define ZYGOTED_ZYGOTE_FREEZE_H

#include "image_plan.h"

/* What every mapping of the image is called in /proc/PID/maps: "/memfd:zygoted-image (deleted)". */
#define FREEZE_NAME "zygoted-image"

struct freeze_result {
	uint64_t image_bytes; /* of memory that the image takes */
	uint64_t us;
};

/*
 * Moves all that is in the plan, to a file called `name`. `spare_bytes` is how far a child may still grow a mapping. 0, or an errno: then a part of
 * it may have moved, and this process is of no use any more.
 */
int freeze_move(const struct image_plan *plan, const char *name, uint64_t spare_bytes,
		bool advise_huge, struct freeze_result *out) __attribute__((warn_unused_result));

#endif
