/*
 * The blocks that Python has allocated while it was watched.
 *
 * Runs in: the processes that learn.
 */
#include "placement_parts.h"

#include <stdbool.h>
#include <sys/mman.h>

#define SLOTS	   (1u << 22)
#define SLOTS_MAX  (SLOTS / 4 * 3)
#define GROUP	   256u /* slots */
#define ALIGNMENT  16u
#define CHUNK	   256u				/* slots: neighbours of a page */
#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15) /* as in placement_key.c */

struct block {
	const char *begin; /* NULL: a free slot */
	uint64_t key;
	size_t size;
};

static const char gone;		    /* the begin of what was a block: a search goes on behind it */
static struct block *blocks;	    /* by address */
static bool is_used[SLOTS / GROUP]; /* so that nobody looks at all of them */
static unsigned used;		    /* slots that are not free */
static bool is_full;

int
placement_blocks_open(void)
{
	blocks = mmap(NULL, SLOTS * sizeof(*blocks), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return blocks != MAP_FAILED ? 0 : -1;
}

static size_t
slot_of(const void *block)
{
	const uint64_t place = (uintptr_t)block / ALIGNMENT;

	/* Chunks far from each other: where there are many blocks in a row, a search that comes by would walk over all of them. */
	return ((place / CHUNK * MULTIPLIER >> 32) + place % CHUNK) & (SLOTS - 1);
}

void
placement_blocks_add(const void *block, size_t size, uint64_t key)
{
	size_t i = slot_of(block);

	while (blocks[i].begin != NULL && blocks[i].begin != &gone)
		i = (i + 1) & (SLOTS - 1);
	is_full |= blocks[i].begin == NULL && used == SLOTS_MAX;
	if (is_full)
		return;
	used += blocks[i].begin == NULL;
	is_used[i / GROUP] = true;
	blocks[i] = (struct block){ block, key, size };
}

void
placement_blocks_remove(const void *block)
{
	size_t i = slot_of(block);

	if (is_full)
		return;
	while (blocks[i].begin != NULL && blocks[i].begin != block)
		i = (i + 1) & (SLOTS - 1);
	if (blocks[i].begin != NULL)
		blocks[i].begin = &gone;
}

int
placement_blocks_visit(void (*visit)(const void *block, size_t size, uint64_t key, void *context),
		       void *context)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct block *block = &blocks[i];
		if (!is_used[i / GROUP])
			i += GROUP - 1;
		else if (block->begin != NULL && block->begin != &gone && block->key != 0 &&
			 block->size <= PLACEMENT_BLOCK_MAX)
			visit(block->begin, block->size, block->key, context);
	}
	return is_full ? -1 : 0;
}
