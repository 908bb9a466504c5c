/*
 * Reading which pages a process has, a slice at a time: no call takes longer than it is told, so
 * that the loop goes on beside it however large the process is.
 *
 * pagemap of a zygote's child, which is not dumpable, is for root. Others may read smaps, which
 * counts the pages of each mapping without saying which they are: then runs have the right lengths
 * and stand in the right mapping, those that others map too first. So sums are right (see
 * page_image.c) and places are not, and a slice is as long as the largest mapping takes.
 */
#ifndef ZYGOTED_SUPERVISOR_PAGE_WALK_H
#define ZYGOTED_SUPERVISOR_PAGE_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/maps_text.h"
#include "supervisor/page_entry.h"
#include "supervisor/page_runs.h"

#define PAGE_BITS  12 /* x86-64 */
#define PAGE_BYTES (UINT64_C(1) << PAGE_BITS)

enum page_walk_result {
	PAGE_WALK_MORE,
	PAGE_WALK_DONE,
	PAGE_WALK_FAILED /* errno: ESRCH when the process is gone, E2BIG, ENOMEM */
};

struct page_walk {
	int pagemap_fd;
	int smaps_fd; /* instead, where pagemap cannot be had: places are not known */
	char *text;   /* of smaps: what is not taken apart yet */
	size_t length;
	struct mappings mappings;
	size_t current; /* mapping */
	uint64_t next;	/* page in it */
	uint64_t page_table_bytes;
	struct page_runs states[PAGE_STATE_MAX]; /* what was found, by address */
};

/*
 * Opens the files of the process behind `pidfd`, and makes sure that they are that one's. What is
 * open stays that process's, whoever gets its pid later. 0, or -1 with errno, ESRCH when it is
 * gone; then there is nothing to close.
 */
int page_walk_open(struct page_walk *walk, int pidfd) __attribute__((warn_unused_result));

/* Goes on for about `budget_ns`. */
enum page_walk_result page_walk_step(struct page_walk *walk, uint64_t budget_ns);

/* Frees all that was found. */
void page_walk_close(struct page_walk *walk);

#endif
