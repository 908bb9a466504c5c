/*
 * The pool's image: whether there is one, and its making.
 */
#ifndef ZYGOTED_ZYGOTE_IMAGE_H
#define ZYGOTED_ZYGOTE_IMAGE_H

#include "base/heritage.h"

#include <stdbool.h>

/* What has to be opened while /proc and /sys can be. */
struct image_source {
	int smaps_fd; /* -1: error says why */
	int pagemap_fd;
	int error;
	bool advise_huge;
};

/* After load, before the lock-down: gives back what malloc holds free, and opens the source. */
void image_prepare(const struct heritage_zygote *heritage, struct image_source *out);

/*
 * Freezes the memory that load has left, if that is what the pool wants or what suits it, and closes the source. From here
 * on nothing may be written to the heap. Ends the zygote when it cannot do what was asked.
 */
void image_make(const struct heritage_zygote *heritage, struct image_source *source,
		struct msg_image *out);

#endif
