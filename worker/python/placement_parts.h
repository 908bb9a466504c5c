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
#define PLACEMENT_OVERHEAD    32u	   /* at most, of a block in the region */
#define PLACEMENT_FILTER_BITS (1u << 20)
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

/* What requests do with a block. */
enum placement_use { PLACEMENT_UNUSED, PLACEMENT_READ, PLACEMENT_WRITTEN, PLACEMENT_USES };

/* A set of keys with the use of their blocks, in memory that processes share. */
struct placement_keys {
	uint32_t state; /* enum placement_state */
	uint32_t count;
	uint64_t bytes[PLACEMENT_USES]; /* that the blocks take */
	uint8_t filter[PLACEMENT_FILTER_BITS / 8];
	uint64_t slots[2 * PLACEMENT_KEYS_MAX];
};

/* ---- placement_key.c: the same block in another load of the same application ---- */

#define PLACEMENT_USE_BITS 3u /* of a slot; keys have none of them, and are never 0 */

/* Its slot, or the free one where it would be. */
static inline uint64_t *
placement_keys_find(struct placement_keys *keys, uint64_t key)
{
	const uint32_t mask = 2 * PLACEMENT_KEYS_MAX - 1;
	uint32_t i = (uint32_t)(key >> 32) & mask;

	while (keys->slots[i] != 0 && (keys->slots[i] & ~(uint64_t)PLACEMENT_USE_BITS) != key)
		i = (i + 1) & mask;
	return &keys->slots[i];
}

/* Tells of most keys that are not in the set, without a look at it: a filter fits into caches that the set does not. */
static inline int
placement_keys_may_have(const struct placement_keys *keys, uint64_t key)
{
	const uint32_t bit = (uint32_t)(key >> 8) % PLACEMENT_FILTER_BITS;

	return (keys->filter[bit / 8] >> bit % 8 & 1) != 0;
}

static inline void
placement_keys_add(struct placement_keys *keys, uint64_t key, enum placement_use use)
{
	const uint32_t bit = (uint32_t)(key >> 8) % PLACEMENT_FILTER_BITS;

	*placement_keys_find(keys, key) = key | use;
	keys->filter[bit / 8] |= (uint8_t)(1u << bit % 8);
	keys->count++;
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
/* Calls for each of them, of those that are small enough to be placed. -1 when they were too many to be known. */
int placement_blocks_visit(void (*visit)(const void *block, size_t size, uint64_t key,
					 void *context),
			   void *context) __attribute__((warn_unused_result));

/* ---- placement_use.c: which pages a process touches ---- */

/*
 * In a forked process, before it does what is to be known: from here on the pages of all blocks are watched. 0, or an errno. System calls that are given
 * memory on them fail with EFAULT: `is_exact` 0 finds writes alone, without that.
 */
int placement_use_begin(int is_exact) __attribute__((warn_unused_result));
/* The blocks on pages that were touched, of those that `is_wanted` says. ENOMEM: too many of them. */
int placement_use_end(int (*is_wanted)(const void *block), struct placement_keys *out)
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

/* By rehearsals: the blocks that a request uses. NULL, after a line on stderr where it should have worked. */
struct placement_keys *placement_learn(const struct placement_rehearsal *rehearsal);
void placement_forget(struct placement_keys *keys);

#endif
