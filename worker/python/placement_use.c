/*
 * Which pages a process reads and writes. Exactly: by taking the right to touch them away, and giving it back at the first fault, to read, and at the
 * second, to write. Or its writes alone, which is what it has a copy of its own of (/proc/PID/pagemap, bit 56, "exclusively mapped":
 * Documentation/admin-guide/mm/pagemap.rst).
 *
 * Runs in: processes that rehearse requests, forked by those that rehearse the load.
 */
#include "placement_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES	     (1u << 18) /* places: a gibibyte of blocks */
#define PAGES_MAX    (PAGES / 4 * 3)
#define PAGES_READ   8u /* a block is on fewer */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_OF_FILE (UINT64_C(1) << 61)
#define PAGE_OWN     (UINT64_C(1) << 56)
#define STACK_BYTES  (16u * 1024)

/* A place is the page's address with the use so far in its low bits; 0 is free. */
static uintptr_t *pages;
static unsigned used;
static int first_error;

static struct pagemap {
	int fd; /* -1: pages are watched */
	uintptr_t first;
	size_t count;
	uint64_t entries[PAGES_READ];
} map;

static uintptr_t
page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PLACEMENT_PAGE - 1);
}

static uintptr_t *
find_page(uintptr_t page)
{
	uintptr_t i = page / PLACEMENT_PAGE & (PAGES - 1);

	while (pages[i] != 0 && page_of(pages[i]) != page)
		i = (i + 1) & (PAGES - 1);
	return &pages[i];
}

static int
protect(uintptr_t page, int rights)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	return mprotect((void *)page, PLACEMENT_PAGE, rights);
}

/* Of all else that faults the process dies as it would have. Nothing here allocates or has a lock. */
static void
on_fault(int number, siginfo_t *info, void *context)
{
	static const int rights[PLACEMENT_USES] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	const uintptr_t page = page_of((uintptr_t)info->si_addr);
	uintptr_t *place = find_page(page);
	const int error = errno;

	(void)context;
	const unsigned use = (unsigned)(*place - page) + 1;
	if (*place == 0 || use >= PLACEMENT_USES || protect(page, rights[use]) < 0)
		signal(number, SIG_DFL);
	else
		*place = page + use;
	errno = error;
}

static int
catch_faults(void)
{
	static char memory[STACK_BYTES];
	const stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_ONSTACK | SA_SIGINFO };

	return sigaltstack(&stack, NULL) < 0 || sigaction(SIGSEGV, &action, NULL) < 0 ? -1 : 0;
}

static void
watch(const void *block, size_t size, uint64_t key, void *context)
{
	const uintptr_t last = (uintptr_t)block + size - (size > 0);

	(void)key;
	(void)context;
	for (uintptr_t page = page_of((uintptr_t)block); page <= last; page += PLACEMENT_PAGE) {
		uintptr_t *place = find_page(page);
		if (*place != 0 || first_error != 0)
			continue;
		*place = page + PLACEMENT_UNUSED;
		first_error = ++used == PAGES_MAX	     ? ENOMEM
			      : protect(page, PROT_NONE) < 0 ? errno
							     : 0;
	}
}

int
placement_use_begin(int is_exact)
{
	map = (struct pagemap){ .fd = -1 };
	if (!is_exact) {
		map.fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		return map.fd < 0 ? errno : 0;
	}
	pages = mmap(NULL, PAGES * sizeof(*pages), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pages == MAP_FAILED || catch_faults() < 0)
		return errno;
	if (placement_blocks_visit(watch, NULL) < 0)
		return ENOMEM;
	return first_error;
}

/* ---- afterwards ---- */

static enum placement_use
read_pagemap(uintptr_t page)
{
	const uintptr_t number = page / PLACEMENT_PAGE;

	if (number < map.first || number >= map.first + map.count) {
		const ssize_t size = pread(map.fd, map.entries, sizeof(map.entries),
					   (off_t)(number * sizeof(map.entries[0])));
		map.first = number;
		map.count = size > 0 ? (size_t)size / sizeof(map.entries[0]) : 0;
	}
	const uint64_t entry = map.count > 0 ? map.entries[number - map.first] : 0;
	return (entry & PAGE_PRESENT) != 0 && (entry & PAGE_OWN) != 0 && (entry & PAGE_OF_FILE) == 0
		       ? PLACEMENT_WRITTEN
		       : PLACEMENT_UNUSED;
}

static enum placement_use
use_of(const void *block, size_t size)
{
	const uintptr_t last = (uintptr_t)block + size - (size > 0);
	enum placement_use most = PLACEMENT_UNUSED;

	for (uintptr_t page = page_of((uintptr_t)block); page <= last; page += PLACEMENT_PAGE) {
		const enum placement_use use =
			map.fd >= 0 ? read_pagemap(page)
				    : (enum placement_use)(*find_page(page) - page);
		most = use > most ? use : most;
	}
	return most;
}

struct gathered {
	int (*is_wanted)(const void *block);
	struct placement_keys *out;
};

static void
gather(const void *block, size_t size, uint64_t key, void *context)
{
	const struct gathered *gathered = context;
	struct placement_keys *out = gathered->out;

	if (!gathered->is_wanted(block))
		return;
	const enum placement_use use = use_of(block, size);
	if (use == PLACEMENT_UNUSED)
		return;
	if (out->count == PLACEMENT_KEYS_MAX) {
		first_error = ENOMEM;
		return;
	}
	placement_keys_add(out, key, use);
	out->bytes[use] += size + PLACEMENT_OVERHEAD;
}

int
placement_use_end(int (*is_wanted)(const void *block), struct placement_keys *out)
{
	struct gathered gathered = { is_wanted, out };

	if (placement_blocks_visit(gather, &gathered) < 0)
		first_error = ENOMEM;
	return first_error;
}
