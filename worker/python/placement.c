/*
 * An allocator above Python's own (PyMem_SetAllocator): some blocks lie in a region, where they follow each other, all others are passed on.
 *
 *	while a rehearsal is watched   blocks of some keys, a page for each
 *	while the load is for good     blocks of the keys that were learned, those that are read and those that are written to
 *	in a child                     small blocks behind them, until the region is full
 *
 * Runs in: zygote (load), child, and the processes that learn. The rule: which block lies where is a matter of speed alone. A key that means
 * another block in this load than in the rehearsal puts the wrong object among those that are used, and nothing else.
 */
#include <Python.h>

#include "placement.h"
#include "placement_parts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16u
#define CHILD_BYTES                                                                                \
	(1024u *                                                                                   \
	 1024) /* a small request makes a hundredth of it; what is not touched is not there */
#define APART_BYTES (PLACEMENT_PAGES_APART * (size_t)PLACEMENT_PAGE + CHILD_BYTES)

enum mode { MODE_PASS, MODE_WATCH, MODE_TOGETHER, MODE_CHILD };

/* In front of each block of the region. */
struct header {
	size_t capacity; /* what may be written, a multiple of ALIGNMENT */
	struct header *next_free;
};

static_assert(sizeof(struct header) == ALIGNMENT, "blocks of the region are aligned");

static enum mode mode;
static struct placement_keys *chosen; /* for the region; NULL: none */

/* A part of the region, by what requests do with the blocks in it. */
struct area {
	char *next;
	char *end;
	struct header *free[PLACEMENT_BLOCK_MAX / ALIGNMENT + 1]; /* by capacity */
};

static struct region {
	char *begin;
	char *end;
	unsigned per_page; /* blocks; 0: as many as there is room for */
	unsigned in_page;  /* in that of `next` */
	struct area areas
		[PLACEMENT_USES]; /* none that is not used; written to: the last, which children fill */
} region;

/* Python's own, of the domains for objects and for their memory. */
static PyMemAllocatorEx below[2];

static size_t
round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* ---- the region ---- */

/* The first `read` bytes for what is read, the rest for what is written to. */
static int
region_open(size_t read, size_t size, unsigned per_page)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	region = (struct region){ .begin = memory,
				  .end = memory + size,
				  .per_page = per_page,
				  .areas = {
					  [PLACEMENT_READ] = { .next = memory,
							       .end = memory + read },
					  [PLACEMENT_WRITTEN] = { .next = memory + read,
								  .end = memory + size },
				  } };
	return 0;
}

static bool
region_has(const void *block)
{
	return (const char *)block >= region.begin && (const char *)block < region.end;
}

static struct header *
header_of(void *block)
{
	return (struct header *)block - 1;
}

static struct area *
area_of(const struct header *header)
{
	const bool is_read = (const char *)header < region.areas[PLACEMENT_READ].end;

	return &region.areas[is_read ? PLACEMENT_READ : PLACEMENT_WRITTEN];
}

static void
area_begin_page(struct area *area)
{
	area->next += -(uintptr_t)area->next % PLACEMENT_PAGE;
	region.in_page = 0;
}

/* NULL when it is full, or the block too large for it. */
static void *
area_take(struct area *area, size_t size)
{
	const size_t capacity = size > 0 ? round_up(size, ALIGNMENT) : ALIGNMENT;

	if (size > PLACEMENT_BLOCK_MAX)
		return NULL;
	struct header *header = area->free[capacity / ALIGNMENT];
	if (header != NULL) {
		area->free[capacity / ALIGNMENT] = header->next_free;
		return header + 1;
	}
	const size_t whole = sizeof(*header) + capacity;
	const size_t rest = -(uintptr_t)area->next % PLACEMENT_PAGE;
	if (region.per_page > 0 && (region.in_page == region.per_page || whole > rest))
		area_begin_page(area);
	if (whole > (size_t)(area->end - area->next))
		return NULL;
	header = (struct header *)(void *)area->next;
	header->capacity = capacity;
	area->next += whole;
	region.in_page++;
	return header + 1;
}

static void
region_give_back(void *block)
{
	struct header *header = header_of(block);
	struct header **list = &area_of(header)->free[header->capacity / ALIGNMENT];

	header->next_free = *list;
	*list = header;
}

/* ---- which block ---- */

/* A rehearsal has one area. */
static struct area *
choose(uint64_t key)
{
	if (chosen == NULL || key == 0 || !placement_keys_may_have(chosen, key))
		return NULL;
	const uint64_t slot = *placement_keys_find(chosen, key);
	const unsigned use = mode == MODE_WATCH ? PLACEMENT_WRITTEN : slot & PLACEMENT_USE_BITS;

	return slot != 0 ? &region.areas[use] : NULL;
}

/* A new block's place in the region; NULL: it has none. */
static void *
place(size_t size, uint64_t *key_out)
{
	struct area *area;

	*key_out = 0;
	if (mode == MODE_PASS)
		return NULL;
	if (mode == MODE_CHILD)
		return area_take(&region.areas[PLACEMENT_WRITTEN], size);
	*key_out = placement_key_next(size);
	area = choose(*key_out);
	return area != NULL ? area_take(area, size) : NULL;
}

static void
note(const void *block, size_t size, uint64_t key)
{
	if (mode == MODE_WATCH && block != NULL)
		placement_blocks_add(block, size, key);
}

static void
forget(const void *block)
{
	if (mode == MODE_WATCH)
		placement_blocks_remove(block);
}

/* ---- PyMemAllocatorEx; `context` is the allocator below ---- */

static void *
on_malloc(void *context, size_t size)
{
	const PyMemAllocatorEx *next = context;
	uint64_t key;
	void *block = place(size, &key);

	if (block == NULL)
		block = next->malloc(next->ctx, size);
	note(block, size, key);
	return block;
}

static void *
on_calloc(void *context, size_t count, size_t size)
{
	const PyMemAllocatorEx *next = context;
	uint64_t key;
	void *block = NULL;

	/* The product is small where there is a place for it. */
	if (size == 0 || count <= PLACEMENT_BLOCK_MAX / size) {
		block = place(count * size, &key);
		if (block != NULL)
			memset(block, 0, count * size);
	} else {
		key = 0;
	}
	if (block == NULL)
		block = next->calloc(next->ctx, count, size);
	note(block, count * size, key);
	return block;
}

static void
on_free(void *context, void *block)
{
	const PyMemAllocatorEx *next = context;

	if (block == NULL)
		return;
	forget(block);
	if (region_has(block))
		region_give_back(block);
	else
		next->free(next->ctx, block);
}

/* Out of the region, or to another place in it. */
static void *
move_own(const PyMemAllocatorEx *next, void *block, size_t size, void *place)
{
	const size_t capacity = header_of(block)->capacity;

	if (size <= capacity) {
		if (place != NULL)
			region_give_back(place);
		return block;
	}
	void *moved = place != NULL ? place : next->malloc(next->ctx, size);
	if (moved == NULL)
		return NULL;
	memcpy(moved, block, capacity);
	region_give_back(block);
	return moved;
}

/* Into the region. How large the block was only the allocator below knows: it makes it as large as it will be. */
static void *
move_in(const PyMemAllocatorEx *next, void *block, size_t size, void *place)
{
	void *grown = next->realloc(next->ctx, block, size);

	if (grown == NULL) {
		region_give_back(place);
		return NULL;
	}
	memcpy(place, grown, size);
	next->free(next->ctx, grown);
	return place;
}

static void *
on_realloc(void *context, void *block, size_t size)
{
	const PyMemAllocatorEx *next = context;
	const bool is_own = block != NULL && region_has(block);
	uint64_t key;
	void *result, *found;

	if (block == NULL)
		return on_malloc(context, size);
	/* A child's own block is worth a new place, one that it has inherited is not. */
	if (mode == MODE_CHILD && (!is_own || size <= header_of(block)->capacity))
		return is_own ? block : next->realloc(next->ctx, block, size);
	found = place(size, &key);
	if (is_own)
		result = move_own(next, block, size, found);
	else if (found != NULL)
		result = move_in(next, block, size, found);
	else
		result = next->realloc(next->ctx, block, size);
	if (result != NULL) {
		forget(block);
		note(result, size, key);
	}
	return result;
}

static void
install(void)
{
	static const PyMemAllocatorDomain domains[] = { PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ };

	for (size_t i = 0; i < Py_ARRAY_LENGTH(domains); i++) {
		PyMem_GetAllocator(domains[i], &below[i]);
		PyMemAllocatorEx own = { &below[i], on_malloc, on_calloc, on_realloc, on_free };
		PyMem_SetAllocator(domains[i], &own);
	}
}

/* ---- modes ---- */

int
placement_watch(struct placement_keys *apart, unsigned per_page)
{
	if (region_open(0, APART_BYTES, per_page) < 0 || placement_blocks_open() < 0 ||
	    placement_key_open() < 0)
		return -1;
	chosen = apart;
	mode = MODE_WATCH;
	install();
	return 0;
}

int
placement_is_apart(const void *block)
{
	return region_has(block);
}

/* Room for twice of what was learned: blocks that are freed before the end of load had keys as well. */
static int
place_together(struct placement_keys *hot)
{
	size_t read = 0, written = 0;

	if (hot != NULL) {
		read = round_up(2 * hot->bytes[PLACEMENT_READ], PLACEMENT_PAGE);
		written = round_up(2 * hot->bytes[PLACEMENT_WRITTEN], PLACEMENT_PAGE);
	}
	if (region_open(read, read + written + CHILD_BYTES, 0) < 0)
		return -1;
	chosen = hot;
	mode = hot != NULL ? MODE_TOGETHER : MODE_PASS;
	install();
	return 0;
}

int
placement_start(const struct placement_rehearsal *rehearsal)
{
	struct placement_keys *hot = rehearsal != NULL ? placement_learn(rehearsal) : NULL;

	if (hot != NULL && placement_key_open() < 0)
		return -1;
	return place_together(hot);
}

void
placement_settle(void)
{
	if (mode == MODE_TOGETHER) {
		placement_key_close();
		placement_forget(chosen);
	}
	struct area *area = &region.areas[PLACEMENT_WRITTEN];
	if (area->end - area->next > (ptrdiff_t)CHILD_BYTES)
		area->end = area->next + CHILD_BYTES;
	if (region.per_page > 0)
		area_begin_page(area);
	region.per_page = 0;
	chosen = NULL;
	mode = MODE_CHILD;
}

const void *
placement_region(size_t *size_out)
{
	*size_out = (size_t)(region.end - region.begin);
	return region.begin;
}
