/*
 * An allocator that only goes forward: a page that a child writes to is one that it has to copy first, and malloc writes to its own books all over the
 * heap for each block. Here what a child allocates lies in a row, together with the two words that know where.
 *
 * Runs in: zygote (load), child. While the script is loaded small blocks that are freed are used again. A child gives back its last
 * block only: its collector is off, so blocks are freed when they have grown out of their place, and the lists would lead to pages
 * that it has no copy of. Large ones are left to malloc, which can move pages.
 */
#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE	    4096u
#define ALIGNMENT   16u
#define LARGE_BYTES 16384u
#define CHUNK_BYTES (256u * 1024)
#define FREE_BYTES  1024u /* larger ones that are freed are lost */
#define CHUNKS_MAX  160	  /* a terabyte of the zygote's and one of a child's */

struct chunk {
	char *begin;
	size_t size;
};

struct span {
	char *next;
	char *end;
};

/* Where the next block goes: at the beginning of the page that children write to anyway. */
struct cursor {
	struct span now;
	struct span
		other; /* during load the rest of that page, or, between begin and end, what is not */
	unsigned is_hot;
};

struct free_block {
	struct free_block *next;
};

static struct arena {
	struct cursor *cursor;
	bool has_state;
	bool is_settled; /* and the lists are not used any more */
	struct free_block *free[FREE_BYTES / ALIGNMENT + 1]; /* by size */
	unsigned count;
	unsigned inherited; /* of these: a child's begin behind them */
	struct chunk chunks[CHUNKS_MAX];
} arena;

static bool
is_own(const char *block)
{
	/* The last ones are the largest. */
	for (unsigned i = arena.count; i-- > 0;)
		if (block >= arena.chunks[i].begin &&
		    block < arena.chunks[i].begin + arena.chunks[i].size)
			return true;
	return false;
}

static size_t
round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/*
 * A quarter of what there is. What a child inherits does not count, or the first one that it needs would be beyond its
 * limit where the state is large. At the limit a smaller one may fit.
 */
static int
add_chunk(struct span *span_out)
{
	size_t before = 0;
	char *memory = MAP_FAILED;

	for (unsigned i = arena.inherited; i < arena.count; i++)
		before += arena.chunks[i].size;
	size_t size = CHUNK_BYTES + round_up(before / 4, PAGE);
	for (; arena.count < CHUNKS_MAX && size >= LARGE_BYTES; size = round_up(size / 2, PAGE)) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		if (memory != MAP_FAILED)
			break;
	}
	if (memory == MAP_FAILED)
		return -1;
	arena.chunks[arena.count++] = (struct chunk){ memory, size };
	*span_out = (struct span){ memory, memory + size };
	return 0;
}

static void
swap_spans(struct cursor *cursor)
{
	const struct span now = cursor->now;

	cursor->now = cursor->other;
	cursor->other = now;
	cursor->is_hot = !cursor->is_hot;
}

static size_t
room(const struct cursor *cursor)
{
	return (size_t)(cursor->now.end - cursor->now.next);
}

static void
give_back(void *block, size_t size)
{
	const size_t whole = round_up(size, ALIGNMENT);

	if (arena.is_settled || whole == 0 || whole > FREE_BYTES)
		return;
	struct free_block *freed = block;
	freed->next = arena.free[whole / ALIGNMENT];
	arena.free[whole / ALIGNMENT] = freed;
}

static void *
take_again(size_t whole)
{
	if (arena.is_settled || arena.cursor->is_hot || whole > FREE_BYTES)
		return NULL;
	struct free_block **list = &arena.free[whole / ALIGNMENT];
	struct free_block *block = *list;
	if (block != NULL)
		*list = block->next;
	return block;
}

static void *
take(size_t size)
{
	struct cursor *cursor = arena.cursor;
	const size_t whole = round_up(size, ALIGNMENT);
	void *again = take_again(whole);

	if (again != NULL)
		return again;
	if (whole > room(cursor) && cursor->is_hot)
		swap_spans(cursor);
	if (whole > room(cursor) && add_chunk(&cursor->now) < 0)
		return NULL;
	char *block = cursor->now.next;
	cursor->now.next += whole;
	return block;
}

/* Moves the end of the last block. False if it is another one, or there is no room. */
static bool
resize_last(const char *block, size_t old, size_t size)
{
	struct span *span = &arena.cursor->now;
	const size_t before = round_up(old, ALIGNMENT), after = round_up(size, ALIGNMENT);

	if (block + before != span->next || after > before + room(arena.cursor))
		return false;
	span->next += after - before;
	return true;
}

static void *
resize_own(char *block, size_t old, size_t size)
{
	if (size <= LARGE_BYTES && resize_last(block, old, size))
		return block;
	if (size <= old)
		return block;
	void *moved = size > LARGE_BYTES ? malloc(size) : take(size);
	if (moved == NULL)
		return NULL;
	memcpy(moved, block, old);
	give_back(block, old);
	return moved;
}

/* The first block is the state, which every call writes to. */
static void *
make(size_t size)
{
	void *block = size > LARGE_BYTES ? malloc(size) : take(size);

	if (!arena.has_state) {
		arena.has_state = true;
		arena_end_hot();
	}
	return block;
}

/* lua_Alloc; without a block `old` is the kind of object. */
static void *
allocate(void *state, void *block, size_t old, size_t size)
{
	(void)state;
	if (block == NULL && size == 0)
		return NULL;
	if (block == NULL)
		return make(size);
	if (!is_own(block)) {
		if (size > 0)
			return realloc(block, size);
		free(block);
		return NULL;
	}
	if (size > 0)
		return resize_own(block, old, size);
	if (!resize_last(block, old, 0))
		give_back(block, old);
	return NULL;
}

lua_State *
arena_new_state(void)
{
	struct span span;

	if (add_chunk(&span) < 0)
		return NULL;
	arena.cursor = (struct cursor *)(void *)span.next;
	*arena.cursor = (struct cursor){
		.now = { span.next + PAGE, span.end },
		.other = { span.next + round_up(sizeof(*arena.cursor), ALIGNMENT),
			   span.next + PAGE },
	};
	arena_begin_hot();
	lua_State *lua = lua_newstate(allocate, NULL);
	arena_begin_hot();
	return lua;
}

void
arena_begin_hot(void)
{
	if (!arena.cursor->is_hot)
		swap_spans(arena.cursor);
}

void
arena_end_hot(void)
{
	if (arena.cursor->is_hot)
		swap_spans(arena.cursor);
}

void
arena_settle(void)
{
	struct span *span = &arena.cursor->now;

	span->next += -(uintptr_t)span->next & (PAGE - 1);
	/* A few pages to spare, or the first thing of each child that allocates would be a mapping. */
	if (span->next + CHUNK_BYTES / 4 > span->end)
		(void)add_chunk(span);
	arena.inherited = arena.count;
	arena.is_settled = true;
	arena_begin_hot();
}
