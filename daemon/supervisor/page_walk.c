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
#include <stdlib.h>
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
	return add_entries(walk, entries, (size_t)got / sizeof(entries[0]));
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
