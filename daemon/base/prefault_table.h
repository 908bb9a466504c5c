/*
 * What a child touches while it is parked, so that its request need not wait for it: one table for
 * each generation, in a memfd that the supervisor writes and zygote and children map read-only.
 *
 * The memfd is sealed against every further mapping that could write (F_SEAL_FUTURE_WRITE,
 * fcntl(2)). What a reader finds there concerns its own memory alone: at worst, it populates in vain.
 */
#ifndef ZYGOTED_BASE_PREFAULT_TABLE_H
#define ZYGOTED_BASE_PREFAULT_TABLE_H

#include <stdint.h>

#define PREFAULT_RUNS_MAX 2040

enum prefault_access {
	PREFAULT_WRITE, /* get copies of the pages */
	PREFAULT_READ,	/* map them, and what the kernel maps around each */
};

struct prefault_run {
	uint64_t address;
	uint32_t pages;
	uint32_t access; /* enum prefault_access */
};

struct prefault_side {
	uint32_t count;
	uint32_t padding[3];
	struct prefault_run runs[PREFAULT_RUNS_MAX];
};

/* Readers use sides[current & 1]; the other side is written before `current` is. */
struct prefault_table {
	uint32_t current;
	uint32_t padding[15];
	struct prefault_side sides[2];
};

_Static_assert(sizeof(struct prefault_run) == 16, "run");
_Static_assert(sizeof(struct prefault_table) == 64 + 2 * (16 + 16 * PREFAULT_RUNS_MAX), "table");

#endif
