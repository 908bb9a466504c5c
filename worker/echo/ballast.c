/*
 * State to carry: memory as a real worker has it, in small and large blocks, for measuring what the
 * size of the state costs and what the writing of pages costs.
 *
 * Runs in: zygote (allocation).
 */
#include "worker.h"

#include "echo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096

/*
 * One round of allocations, 7 MiB: from what malloc keeps in its bins to what it maps one by one.
 */
static const struct {
	size_t size;
	unsigned count;
} blocks[] = {
	{ 16, 256 },  { 64, 256 },  { 256, 128 },   { 1024, 64 },
	{ 4096, 32 }, { 65536, 8 }, { 1 << 20, 2 }, { 4 << 20, 1 },
};

struct pages {
	char **addresses;
	size_t count;
	size_t room;
};

/* The block's first byte, and the first of each page that begins in it. */
static int
add_pages(struct pages *pages, char *block, size_t size)
{
	char *at = block;

	while (at < block + size) {
		if (pages->count == pages->room) {
			size_t room = pages->room * 2 + 1024;
			char **grown = realloc(pages->addresses, room * sizeof(*grown));
			if (grown == NULL)
				return -1;
			pages->addresses = grown;
			pages->room = room;
		}
		pages->addresses[pages->count++] = at;
		at += PAGE_BYTES - (uintptr_t)at % PAGE_BYTES;
	}
	return 0;
}

static int
add_block(struct pages *pages, size_t size)
{
	char *block = malloc(size);

	if (block == NULL)
		return -1;
	memset(block, 0x5a, size);
	int result = add_pages(pages, block, size);
	if (result < 0)
		free(block);
	return result;
}

static int
add_blocks(struct pages *pages, size_t bytes)
{
	while (bytes > 0) {
		for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
			for (unsigned n = 0; n < blocks[i].count && bytes > 0; n++) {
				size_t size = blocks[i].size < bytes ? blocks[i].size : bytes;
				if (add_block(pages, size) < 0)
					return -1;
				bytes -= size;
			}
		}
	}
	return 0;
}

static int
compare_addresses(const void *left, const void *right)
{
	const char *a = *(char *const *)left, *b = *(char *const *)right;

	return a < b ? -1 : a > b;
}

/* One address per page. */
static void
make_distinct(struct pages *pages)
{
	size_t kept = 0;

	qsort(pages->addresses, pages->count, sizeof(*pages->addresses), compare_addresses);
	for (size_t i = 0; i < pages->count; i++) {
		uintptr_t page = (uintptr_t)pages->addresses[i] / PAGE_BYTES;
		if (kept == 0 || (uintptr_t)pages->addresses[kept - 1] / PAGE_BYTES != page)
			pages->addresses[kept++] = pages->addresses[i];
	}
	pages->count = kept;
}

static int
choose(const struct pages *pages, size_t touch, struct echo *echo)
{
	echo->pages = malloc((touch + 1) * sizeof(*echo->pages));
	if (echo->pages == NULL)
		return -1;
	for (size_t i = 0; i < touch; i++)
		echo->pages[i] = pages->addresses[i * pages->count / touch];
	echo->pages_count = touch;
	return 0;
}

/* Pages that lie together, under one name; there are no more such runs than malloc makes arenas, and if there are, the rest
 * is shown as heap. */
static void
name_pages(const struct pages *pages)
{
	size_t first = 0;

	for (size_t i = 1; i <= pages->count; i++) {
		const uintptr_t page = (uintptr_t)pages->addresses[i - 1] / PAGE_BYTES;
		if (i < pages->count && (uintptr_t)pages->addresses[i] / PAGE_BYTES == page + 1)
			continue;
		(void)zy_name_region(pages->addresses[first], (i - first) * PAGE_BYTES, "ballast");
		first = i;
	}
}

struct ballast_result
ballast_allocate(size_t bytes, size_t touch, struct echo *echo)
{
	struct ballast_result result = { NULL, 0 };
	struct pages pages = { NULL, 0, 0 };

	if (add_blocks(&pages, bytes) < 0) {
		result.error = "out of memory for the ballast";
	} else if (bytes > 0) {
		make_distinct(&pages);
		result.pages = pages.count;
		name_pages(&pages);
		if (touch > pages.count)
			result.error = "the ballast has fewer pages than touch asks for";
		else if (choose(&pages, touch, echo) < 0)
			result.error = "out of memory for the ballast";
	} else if (touch > 0) {
		result.error = "touch needs a ballast";
	}
	free(pages.addresses);
	return result;
}
