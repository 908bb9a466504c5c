/*
 * The pool's image: whether there is one, and its making.
 */
#ifndef ZYGOTED_ZYGOTE_IMAGE_H
#define ZYGOTED_ZYGOTE_IMAGE_H

#include "base/heritage.h"

#include <stdbool.h>

struct aside;
struct zy_worker;

/* What has to be opened while /proc and /sys can be. */
struct image_source {
	int smaps_fd; /* -1: error says why */
	int pagemap_fd;
	int error;
	bool advise_huge;
	bool is_title_moved; /* so the first stack may go */
};

/*
 * After load, before the lock-down: gives back what malloc holds free, and opens the source. `stack` is any place on the
 * children's.
 */
void image_prepare(const struct heritage_zygote *heritage, const void *stack,
		   struct image_source *out);

/*
 * Freezes the memory that load has left, if that is what the pool wants or what suits it. From here on nothing may be
 * written to the heap. Ends the zygote when it cannot do what was asked.
 */
void image_make(const struct heritage_zygote *heritage, struct image_source *source,
		struct msg_image *out);

/*
 * What children hardly need and is to move out of fork's way (aside.h), whatever the image; closes the source. NULL: nothing
 * is. The worker's own variables stay: each child needs them. From here on nothing may be written to a library's.
 */
struct aside *image_look_aside(struct image_source *source, const struct zy_worker *worker);

#endif
