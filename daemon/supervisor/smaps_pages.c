/*
 * smaps instead of pagemap.
 *
 * In a private mapping what is anonymous is the process's own (Private) or still shared with others
 * (Shared); what is not is the file's, or the image's. The pages of a mapping are laid out from its
 * start: shared ones, then its own. A child copies a page by turning one of the former into one of
 * the latter, so comparing two layouts counts copied pages where the zygote's shared ones ended
 * later, and new ones behind them.
 *
 * Runs in: supervisor. The kernel wrote the text.
 */
#include "supervisor/smaps_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/smaps.h"

int
smaps_pages_add(struct page_walk *walk, const struct mapping *mapping, const char *text)
{
	struct smaps_rollup sums;
	uint64_t at = mapping->start >> PAGE_BITS;
	uint64_t pages[PAGE_STATE_MAX];

	if (smaps_parse_rollup(text, &sums) < 0) {
		errno = EPROTO;
		return -1;
	}
	const uint64_t private_bytes = smaps_private_bytes(&sums);
	const uint64_t own =
		private_bytes < sums.anonymous_bytes ? private_bytes : sums.anonymous_bytes;
	pages[PAGE_FILE] = (sums.rss_bytes - sums.anonymous_bytes) >> PAGE_BITS;
	pages[PAGE_OWN] = own >> PAGE_BITS;
	pages[PAGE_JOINT] = (sums.anonymous_bytes - own) >> PAGE_BITS;
	pages[PAGE_SWAPPED] = sums.swap_bytes >> PAGE_BITS;
	static const enum page_state order[] = { PAGE_JOINT, PAGE_OWN, PAGE_FILE, PAGE_SWAPPED };
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (pages[order[i]] == 0)
			continue;
		if (page_runs_add(&walk->states[order[i]], at, pages[order[i]]) < 0)
			return -1;
		at += pages[order[i]];
	}
	return 0;
}

/* The mapping of a line such as "7f3e0000-7f3e1000 rw-p ..."; NULL: made since maps was read. */
static const struct mapping *
find_mapping(struct page_walk *walk, const char *line)
{
	const uint64_t start = strtoull(line, NULL, 16);

	while (walk->current < walk->mappings.count &&
	       walk->mappings.list[walk->current].start < start)
		walk->current++;
	if (walk->current == walk->mappings.count ||
	    walk->mappings.list[walk->current].start != start)
		return NULL;
	return &walk->mappings.list[walk->current];
}

/* Behind the last line of the first mapping, which is its flags; NULL: not all of it is here. */
static char *
find_end(char *text)
{
	char *flags = strstr(text, "\nVmFlags:");
	char *end = flags != NULL ? strchr(flags + 1, '\n') : NULL;

	return end != NULL ? end + 1 : NULL;
}

static int
take_mappings(struct page_walk *walk)
{
	char *text = walk->text;
	char *end;

	while ((end = find_end(text)) != NULL) {
		const struct mapping *mapping = find_mapping(walk, text);
		const char kept = *end;
		*end = '\0';
		if (mapping != NULL && mapping->kind != MAPPING_KERNEL &&
		    smaps_pages_add(walk, mapping, text) < 0)
			return -1;
		*end = kept;
		text = end;
	}
	walk->length = strlen(text);
	memmove(walk->text, text, walk->length + 1);
	return 0;
}

enum page_walk_result
smaps_pages_step(struct page_walk *walk)
{
	const size_t room = SMAPS_PAGES_BYTES - 1 - walk->length;
	ssize_t got = read(walk->smaps_fd, walk->text + walk->length, room);

	if (got < 0)
		return PAGE_WALK_FAILED;
	if (got == 0) {
		/* Nothing at all: it died between open and read. */
		errno = walk->current == 0 || walk->length > 0 ? ESRCH : 0;
		return errno == 0 ? PAGE_WALK_DONE : PAGE_WALK_FAILED;
	}
	walk->length += (size_t)got;
	walk->text[walk->length] = '\0';
	return take_mappings(walk) < 0 ? PAGE_WALK_FAILED : PAGE_WALK_MORE;
}
