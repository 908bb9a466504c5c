/*
 * What the parts of placement share; nobody else includes this.
 */
#ifndef ZYGOTED_PYTHON_PLACEMENT_PARTS_H
#define ZYGOTED_PYTHON_PLACEMENT_PARTS_H

#include "placement.h"

#include <stddef.h>
#include <stdint.h>

#define PLACEMENT_PAGE	      4096u
#define PLACEMENT_BLOCK_MAX   (16u * 1024) /* larger ones stay where they are */
#define PLACEMENT_PAGES_APART 40960u	   /* 160 MiB, for as long as a rehearsal takes */
#define PLACEMENT_KEYS_MAX    (256u * 1024)

enum placement_state {
	PLACEMENT_BEGUN, /* and no more: the process has died */
	PLACEMENT_UNSUPPORTED,
	PLACEMENT_LOAD_FAILED, /* as it will again, with a reason in the log */
	PLACEMENT_REQUEST_FAILED,
	PLACEMENT_TOO_MANY,
	PLACEMENT_NO_PAGEMAP,
	PLACEMENT_OVERWRITTEN,
	PLACEMENT_COMPLETE,
	PLACEMENT_STATE_MAX
};

/* A set of keys, in memory that processes share. */
struct placement_keys {
	uint32_t state; /* enum placement_state */
	uint32_t count;
	uint64_t bytes; /* of the blocks */
	uint64_t slots[2 * PLACEMENT_KEYS_MAX];
};

/* ---- placement_key.c: the same block in another load of the same application ---- */

/* Its place, or the free one where it would be. */
static inline uint64_t *
placement_keys_find(struct placement_keys *keys, uint64_t key)
{
	const uint32_t mask = 2 * PLACEMENT_KEYS_MAX - 1;
	uint32_t i = (uint32_t)(key >> 32) & mask;

	while (keys->slots[i] != key && keys->slots[i] != 0)
		i = (i + 1) & mask;
	return &keys->slots[i];
}

/* -1: not with this version of Python, or no memory. */
int placement_key_open(void) __attribute__((warn_unused_result));
void placement_key_close(void);
/* Of the block that is about to be allocated. 0: none, as there are too many. */
uint64_t placement_key_next(size_t size);

/* ---- placement_blocks.c: the blocks that there are ---- */

/* -1: no memory. */
int placement_blocks_open(void) __attribute__((warn_unused_result));
void placement_blocks_add(const void *block, size_t size, uint64_t key);
/* Nothing, if it is not known. */
void placement_blocks_remove(const void *block);
/*
 * In a forked process: the blocks on pages that it has written to since the fork, of those that `is_wanted` says. 0, or an errno; ENOMEM:
 * too many of them.
 */
int placement_blocks_find_written(int (*is_wanted)(const void *block), struct placement_keys *out)
	__attribute__((warn_unused_result));

/* ---- placement.c: the allocator ---- */

/*
 * Before a load that is watched. `apart` gets pages of its own, each for `per_page` blocks; NULL: there is none. -1: no memory.
 */
int placement_watch(struct placement_keys *apart, unsigned per_page)
	__attribute__((warn_unused_result));
/* Whether it was set apart. */
int placement_is_apart(const void *block);

/* ---- placement_learn.c ---- */

/* By rehearsals: the blocks that a request writes to. NULL, after a line on stderr where it should have worked. */
struct placement_keys *placement_learn(const struct placement_rehearsal *rehearsal);
void placement_forget(struct placement_keys *keys);

#endif
