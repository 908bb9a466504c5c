/*
 * Which memory of the zygote becomes the image.
 */
#ifndef ZYGOTED_ZYGOTE_IMAGE_PLAN_H
#define ZYGOTED_ZYGOTE_IMAGE_PLAN_H

#include "maps_walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_PAGE	  4096ul
#define IMAGE_HUGE_PAGE	  (2ul << 20)
#define IMAGE_PARTS_MAX	  4096
#define IMAGE_PAGEMAP_MAX 8192 /* pages that are asked for at once */

/* One piece of a mapping that moves: with data, or without any. */
struct image_part {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the image's file, unless is_hole */
	int prot;
	bool is_hole; /* was never touched: stays anonymous, and empty */
	bool is_file; /* was a file's: all of it has contents */
	bool is_huge; /* MADV_HUGEPAGE was asked for */
};

/* Lives in a mapping of its own, which is not in the plan. */
struct image_plan {
	uint64_t state_bytes; /* pages that have something in them */
	uint64_t file_bytes;  /* length of the image's file */
	uint64_t left_bytes;  /* of large mappings that have to stay as they are */
	uint32_t mappings;
	uint32_t parts_count;
	int error; /* errno of pagemap */
	int pagemap_fd;
	struct image_part parts[IMAGE_PARTS_MAX];
	uint64_t pages[IMAGE_PAGEMAP_MAX];
	char text[MAPS_TEXT_BYTES];
};

/* Where an address points to that the kernel wrote as a number. */
static inline char *
image_address(uint64_t address)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): /proc has no pointers */
	return (char *)(uintptr_t)address;
}

/*
 * Reads /proc/self/smaps and /proc/self/pagemap, open as these. NULL with errno; else to be unmapped with image_plan_free.
 */
struct image_plan *image_plan_new(int smaps_fd, int pagemap_fd) __attribute__((warn_unused_result));
/* An empty one, for who looks for memory himself. NULL with errno. */
struct image_plan *image_plan_alloc(void) __attribute__((warn_unused_result));
void image_plan_free(struct image_plan *plan);

/* One more part, with data: a piece of the mapping. There must be room for it. */
void image_plan_add(struct image_plan *plan, const struct maps_entry *entry, uint64_t from,
		    uint64_t to);

#endif
