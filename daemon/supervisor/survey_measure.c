/*
 * Reads a probe: its page tables here, in slices; the sums that only the kernel can make (PSS)
 * beside the loop.
 *
 * Runs in: supervisor. The probe is a child: it runs the worker's child_start before it parks, and
 * pages that it has of its own may or may not be in the zygote. For those few, and for no others,
 * the zygote's pagemap is asked, an entry at a time.
 */
#include "supervisor/survey_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/clock.h"
#include "supervisor/procfs.h"
#include "supervisor/smaps_reader.h"

#define STEP_NS 1000000
#define PARK_MS 1000
/* Of a probe's own pages; a child_start that writes to more has them counted as new. */
#define OWN_MAX 4096

static const char *
describe(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "no permission to read the child's memory map";
	case E2BIG:
	case EFBIG:
		return "the child's memory is too scattered to be listed";
	case ESRCH:
		return "the probe child is gone";
	case ENOMEM:
		return "out of memory";
	default:
		return "the child's memory map cannot be read";
	}
}

static void
on_rollup(void *owner, const char *error, const struct smaps_rollup *rollup)
{
	struct survey_measure *measure = owner;

	measure->reader = NULL;
	measure->error = error;
	measure->rollup = *rollup;
	measure->has_rollup = error == NULL;
	if (measure->is_walked || error != NULL)
		measure->ready(measure->owner);
}

int
survey_measure_open(struct survey_measure *measure, struct event_base *base, int pidfd,
		    void (*ready)(void *owner), void *owner)
{
	*measure = (struct survey_measure){ .base = base,
					    .pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0),
					    .since_ms = clock_ms(),
					    .ready = ready,
					    .owner = owner };
	measure->walk.pagemap_fd = measure->walk.smaps_fd = -1;
	measure->is_open = measure->pidfd >= 0;
	if (!measure->is_open)
		measure->error = describe(errno);
	return measure->is_open ? 0 : -1;
}

/*
 * A child that parks sleeps; before that it has not yet the pages that a parked one has. One whose
 * child_start takes its time is read as it is then.
 */
static bool
is_parked(const struct survey_measure *measure)
{
	return procfs_is_asleep(procfs_pidfd_pid(measure->pidfd)) ||
	       clock_ms() - measure->since_ms > PARK_MS;
}

/* page_walk_open has seen that the pid is the pidfd's; the reader's file is checked likewise. */
static int
begin(struct survey_measure *measure)
{
	if (page_walk_open(&measure->walk, measure->pidfd) < 0)
		return -1;
	measure->is_begun = true;
	const pid_t pid = procfs_pidfd_pid(measure->pidfd);
	measure->reader = smaps_reader_start(measure->base, pid, on_rollup, measure);
	if (measure->reader == NULL)
		return -1;
	if (pid > 0 && procfs_pidfd_pid(measure->pidfd) == pid)
		return 0;
	errno = ESRCH;
	return -1;
}

void
survey_measure_close(struct survey_measure *measure)
{
	if (!measure->is_open)
		return;
	smaps_reader_free(measure->reader);
	measure->reader = NULL;
	page_walk_close(&measure->walk);
	close(measure->pidfd);
	measure->is_open = false;
}

enum survey_measure_result
survey_measure_step(struct survey_measure *measure)
{
	if (measure->error != NULL)
		return SURVEY_MEASURE_FAILED;
	if (!measure->is_begun && !is_parked(measure))
		return SURVEY_MEASURE_LATER;
	if (!measure->is_begun && begin(measure) < 0) {
		measure->error = describe(errno);
		return SURVEY_MEASURE_FAILED;
	}
	switch (measure->is_walked ? PAGE_WALK_DONE : page_walk_step(&measure->walk, STEP_NS)) {
	case PAGE_WALK_MORE:
		return SURVEY_MEASURE_MORE;
	case PAGE_WALK_FAILED:
		measure->error = describe(errno);
		return SURVEY_MEASURE_FAILED;
	case PAGE_WALK_DONE:
		break;
	}
	measure->is_walked = true;
	return measure->has_rollup ? SURVEY_MEASURE_DONE : SURVEY_MEASURE_WAIT;
}

/* ---- the end ---- */

static int
add_if_joined(int pagemap_fd, uint64_t page, struct page_runs *joined)
{
	uint64_t entry;

	if (pread(pagemap_fd, &entry, sizeof(entry), (off_t)(page * sizeof(entry))) !=
	    sizeof(entry))
		return 0;
	if (page_entry_state(entry) == PAGE_ABSENT)
		return 0;
	return page_runs_add(joined, page, 1);
}

/* Those of the probe's own pages that the zygote has as well, at the same address. */
static int
find_joined(const struct page_runs *own, pid_t zygote, struct page_runs *joined)
{
	char path[64];
	unsigned left = OWN_MAX;
	int result = 0;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)zygote);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < own->count && result == 0; i++)
		for (uint64_t n = 0; n < own->runs[i].count && left > 0 && result == 0; n++, left--)
			result = add_if_joined(fd, own->runs[i].first + n, joined);
	close(fd);
	return result;
}

/* A frozen image is not inherited page by page: all of it is there, mapped or not. */
static int
find_frozen(const struct mappings *mappings, struct page_runs *frozen)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->list[i];
		const uint64_t first = mapping->start >> PAGE_BITS;
		if (mapping->kind == MAPPING_IMAGE &&
		    page_runs_add(frozen, first, (mapping->end >> PAGE_BITS) - first) < 0)
			return -1;
	}
	return 0;
}

static struct page_image *
make_image(const struct survey_measure *measure, pid_t zygote, const struct survey_subject *subject)
{
	const struct page_walk *walk = &measure->walk;
	struct page_runs joined = { 0 };
	struct page_runs frozen = { 0 };
	const struct page_source source = {
		.mappings = &walk->mappings,
		.states = walk->states,
		.joined = &joined,
		.frozen = &frozen,
		.regions = subject->regions,
		.regions_count = walk->smaps_fd < 0 ? subject->regions_count : 0,
		.has_places = walk->smaps_fd < 0,
	};
	struct page_image *image = NULL;

	if ((!source.has_places || find_joined(&walk->states[PAGE_OWN], zygote, &joined) == 0) &&
	    find_frozen(&walk->mappings, &frozen) == 0)
		image = page_image_new(&source);
	int saved = errno;
	page_runs_free(&joined);
	page_runs_free(&frozen);
	errno = saved;
	return image;
}

static void
add_part(void *owner, const struct page_part *part)
{
	struct survey *survey = owner;

	survey->pages[part->class] += part->count;
	survey->rows[part->row][part->class] += part->count;
	if (part->class == PAGES_SHARED && part->span != NULL && part->span->is_image)
		survey->mapped_bytes += part->count * PAGE_BYTES;
}

/*
 * What the probe inherited page by page is all mapped. Of a frozen image it maps what it has touched; how large that is the
 * zygote has said, and whether it is in memory nobody can tell from here.
 */
static void
size_image(struct survey *survey, uint64_t frozen_bytes)
{
	const uint64_t inherited_bytes = survey->image->state_pages * PAGE_BYTES;

	survey->image_bytes = inherited_bytes + frozen_bytes;
	survey->resident_bytes = survey->image_bytes - survey->pages[PAGES_SWAPPED] * PAGE_BYTES;
	survey->mapped_bytes += inherited_bytes;
	if (survey->mapped_bytes > survey->image_bytes)
		survey->mapped_bytes = survey->image_bytes;
}

int
survey_measure_finish(struct survey_measure *measure, pid_t zygote, uint64_t frozen_bytes,
		      struct survey_subject *subject)
{
	const struct page_walk *walk = &measure->walk;
	struct page_image *image = subject->survey.image;

	if (image == NULL)
		image = make_image(measure, zygote, subject);
	if (image == NULL) {
		measure->error = describe(errno);
		return -1;
	}
	subject->survey = (struct survey){ .taken_ms = clock_ms(),
					   .image = image,
					   .page_table_bytes = walk->page_table_bytes,
					   .rollup = measure->rollup };
	page_image_compare(image, &walk->mappings, walk->states, add_part, &subject->survey);
	size_image(&subject->survey, frozen_bytes);
	return 0;
}
