/*
 * pagemap in slices. The kernel holds the process's mmap_lock for 512 entries at a time
 * (fs/proc/task_mmu.c, pagemap_read), and the process is one that forks nothing.
 *
 * Runs in: supervisor. The process is hostile: its mappings and pages are counted before memory is
 * spent on them.
 */
#include "supervisor/page_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "supervisor/clock.h"
#include "supervisor/procfs.h"
#include "supervisor/smaps_pages.h"

/* Some thousands of mappings; CPython with all of pandas has 500. */
#define MAPS_BYTES   (512u << 10)
#define STATUS_BYTES 8192
/* A read of that many is about 0.1 ms where all pages are there, and far less where none is. */
#define SLICE_ENTRIES 8192

static int
read_mappings(struct page_walk *walk, pid_t pid)
{
	char path[64];
	char *text = malloc(MAPS_BYTES);
	int result = -1;

	if (text == NULL)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if (procfs_read(path, text, MAPS_BYTES) >= 0)
		result = mappings_parse(text, &walk->mappings);
	int saved = errno;
	free(text);
	errno = saved;
	return result;
}

static int
read_page_tables(struct page_walk *walk, pid_t pid)
{
	char path[64];
	char status[STATUS_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (procfs_read(path, status, sizeof(status)) < 0)
		return -1;
	return procfs_parse_bytes(status, "VmPTE:", &walk->page_table_bytes);
}

static int
open_pages(struct page_walk *walk, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	walk->pagemap_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (walk->pagemap_fd >= 0)
		return 0;
	if (errno != EACCES && errno != EPERM)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	walk->smaps_fd = open(path, O_RDONLY | O_CLOEXEC);
	walk->text = malloc(SMAPS_PAGES_BYTES);
	return walk->smaps_fd < 0 || walk->text == NULL ? -1 : 0;
}

int
page_walk_open(struct page_walk *walk, int pidfd)
{
	const pid_t pid = procfs_pidfd_pid(pidfd);

	*walk = (struct page_walk){ .pagemap_fd = -1, .smaps_fd = -1 };
	if (pid < 0)
		return -1;
	if (open_pages(walk, pid) < 0 || read_mappings(walk, pid) < 0 ||
	    read_page_tables(walk, pid) < 0 || procfs_pidfd_pid(pidfd) != pid) {
		int saved = errno == ENOENT ? ESRCH : errno;
		page_walk_close(walk);
		errno = saved;
		return -1;
	}
	if (walk->mappings.count > 0)
		walk->next = walk->mappings.list[0].start >> PAGE_BITS;
	return 0;
}

void
page_walk_close(struct page_walk *walk)
{
	if (walk->pagemap_fd >= 0)
		close(walk->pagemap_fd);
	walk->pagemap_fd = -1;
	if (walk->smaps_fd >= 0)
		close(walk->smaps_fd);
	walk->smaps_fd = -1;
	free(walk->text);
	walk->text = NULL;
	mappings_free(&walk->mappings);
	for (int i = 0; i < PAGE_STATE_MAX; i++)
		page_runs_free(&walk->states[i]);
}

static size_t
count_present(const uint64_t *entries, size_t count)
{
	size_t present = 0;

	for (size_t i = 0; i < count; i++)
		present += page_entry_state(entries[i]) != PAGE_ABSENT;
	return present;
}

static int
add_entries(struct page_walk *walk, const uint64_t *entries, size_t count)
{
	for (size_t i = 0, same; i < count; i += same) {
		const enum page_state state = page_entry_state(entries[i]);
		for (same = 1; i + same < count; same++)
			if (page_entry_state(entries[i + same]) != state)
				break;
		if (state != PAGE_ABSENT &&
		    page_runs_add(&walk->states[state], walk->next + i, same) < 0)
			return -1;
	}
	walk->next += count;
	return 0;
}

/*
 * ioctl_pagemap_scan(2), Linux 6.7: where the next page is, without an entry for each that is not there. Declared here, since
 * linux/fs.h may be older than the kernel.
 */
struct scan_range {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN_IOCTL   _IOWR('f', 16, struct scan)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_SWAPPED (UINT64_C(1) << 4)

/*
 * A reservation may have terabytes of nothing. After a slice of nothing goes on with the next page there is; an older kernel
 * goes through all of it.
 */
static void
skip_nothing(struct page_walk *walk, uint64_t end)
{
	struct scan_range found = { 0 };
	struct scan scan = {
		.size = sizeof(scan),
		.start = walk->next << PAGE_BITS,
		.end = end << PAGE_BITS,
		.vec = (uintptr_t)&found,
		.vec_len = 1,
		.max_pages = 1,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT | SCAN_SWAPPED,
	};
	const int count = walk->next < end ? ioctl(walk->pagemap_fd, SCAN_IOCTL, &scan) : -1;

	if (count == 0 && scan.walk_end == scan.end)
		walk->next = end;
	else if (count == 1)
		walk->next = found.start >> PAGE_BITS;
}

/* One read within the current mapping. */
static int
read_slice(struct page_walk *walk, uint64_t end)
{
	static uint64_t entries[SLICE_ENTRIES]; /* the loop has one thread */
	uint64_t wanted = end - walk->next;
	ssize_t got;

	if (wanted > SLICE_ENTRIES)
		wanted = SLICE_ENTRIES;
	got = pread(walk->pagemap_fd, entries, wanted * sizeof(entries[0]),
		    (off_t)(walk->next * sizeof(entries[0])));
	if (got < (ssize_t)sizeof(entries[0])) {
		errno = got < 0 ? errno : ESRCH;
		return -1;
	}
	const size_t count = (size_t)got / sizeof(entries[0]);
	const bool is_empty = count_present(entries, count) == 0;
	if (add_entries(walk, entries, count) < 0)
		return -1;
	if (is_empty)
		skip_nothing(walk, end);
	return 0;
}

/* Pages of the kernel's are nobody's, and pagemap has no entries for some of them. */
static int
is_walked(const struct mapping *mapping)
{
	return mapping->kind != MAPPING_KERNEL;
}

enum page_walk_result
page_walk_step(struct page_walk *walk, uint64_t budget_ns)
{
	const uint64_t until = clock_ns() + budget_ns;

	if (walk->smaps_fd >= 0)
		return smaps_pages_step(walk);
	while (walk->current < walk->mappings.count) {
		const struct mapping *mapping = &walk->mappings.list[walk->current];
		if (is_walked(mapping) && walk->next < mapping->end >> PAGE_BITS) {
			if (read_slice(walk, mapping->end >> PAGE_BITS) < 0)
				return PAGE_WALK_FAILED;
			if (clock_ns() >= until)
				return PAGE_WALK_MORE;
			continue;
		}
		if (++walk->current < walk->mappings.count)
			walk->next = walk->mappings.list[walk->current].start >> PAGE_BITS;
	}
	return PAGE_WALK_DONE;
}
