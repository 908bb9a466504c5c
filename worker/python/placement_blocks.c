/*
 * The blocks that Python has allocated while it was watched, and which of them a request has written to: those on pages of which a forked process
 * has a copy of its own, as /proc/PID/pagemap tells it (bit 56, "exclusively mapped": Documentation/admin-guide/mm/pagemap.rst).
 *
 * Runs in: the processes that learn.
 */
#include "placement_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS	     (1u << 22)
#define SLOTS_MAX    (SLOTS / 4 * 3)
#define GROUP	     256u /* slots */
#define ALIGNMENT    16u
#define CHUNK	     64u			  /* slots: neighbours of a KiB */
#define PAGES_READ   8u				  /* a block is on fewer */
#define MULTIPLIER   UINT64_C(0x9E3779B97F4A7C15) /* as in placement_key.c */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_OF_FILE (UINT64_C(1) << 61)
#define PAGE_OWN     (UINT64_C(1) << 56)

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

/* ---- what was written ---- */

struct pagemap {
	int fd;
	uintptr_t first; /* page number */
	size_t count;
	uint64_t entries[PAGES_READ];
};

static bool
is_written(struct pagemap *map, uintptr_t page)
{
	if (page < map->first || page >= map->first + map->count) {
		const ssize_t size = pread(map->fd, map->entries, sizeof(map->entries),
					   (off_t)(page * sizeof(map->entries[0])));
		map->first = page;
		map->count = size > 0 ? (size_t)size / sizeof(map->entries[0]) : 0;
	}
	if (map->count == 0)
		return false;
	const uint64_t entry = map->entries[page - map->first];
	return (entry & PAGE_PRESENT) != 0 && (entry & PAGE_OWN) != 0 &&
	       (entry & PAGE_OF_FILE) == 0;
}

static bool
is_block_written(struct pagemap *map, const struct block *block)
{
	const uintptr_t begin = (uintptr_t)block->begin;
	const uintptr_t last = (begin + block->size - (block->size > 0)) / PLACEMENT_PAGE;
	bool result = false;

	for (uintptr_t page = begin / PLACEMENT_PAGE; page <= last && !result; page++)
		result = is_written(map, page);
	return result;
}

/* -1: too many. */
static int
gather(const struct block *block, struct placement_keys *out)
{
	if (out->count == PLACEMENT_KEYS_MAX)
		return -1;
	*placement_keys_find(out, block->key) = block->key;
	out->count++;
	out->bytes += block->size;
	return 0;
}

int
placement_blocks_find_written(int (*is_wanted)(const void *block), struct placement_keys *out)
{
	struct pagemap map = { .fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) };
	int failed = is_full;

	if (map.fd < 0)
		return errno;
	for (size_t i = 0; i < SLOTS && !failed; i++) {
		const struct block *block = &blocks[i];
		if (!is_used[i / GROUP]) {
			i += GROUP - 1;
			continue;
		}
		if (block->begin != NULL && block->begin != &gone && block->key != 0 &&
		    block->size <= PLACEMENT_BLOCK_MAX && is_wanted(block->begin) &&
		    is_block_written(&map, block))
			failed = gather(block, out) < 0;
	}
	close(map.fd);
	return failed ? ENOMEM : 0;
}
