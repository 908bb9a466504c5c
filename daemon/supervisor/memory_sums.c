/*
 * Sums over the processes of a pool.
 *
 * Runs in: supervisor. The control command and the metrics tell the same: both ask here.
 */
#include "supervisor/memory_sums.h"

#include <stddef.h>

#include "supervisor/page_walk.h"
#include "supervisor/prefault.h"
#include "supervisor/survey.h"
#include "supervisor/zygote_proc.h"

/* On x86-64: THREAD_SIZE of arch/x86/include/asm/page_64_types.h. */
#define KERNEL_STACK_BYTES (UINT64_C(16) << 10)

uint64_t
memory_mean_bytes(const struct sample_store *samples, enum page_class class)
{
	if (samples == NULL || samples->samples == 0)
		return 0;
	return samples->pages[class] * PAGE_BYTES / samples->samples;
}

/*
 * Pages of its own, the page tables that map all its pages, its kernel stack. The kernel's other books of a process (some
 * 50 KiB with its descriptors) it does not tell.
 */
static uint64_t
alone_bytes(const uint64_t pages[PAGES_CLASS_MAX], uint64_t count, uint64_t page_table_bytes)
{
	return ((pages[PAGES_COPIED] + pages[PAGES_NEW]) * PAGE_BYTES + page_table_bytes) / count +
	       KERNEL_STACK_BYTES;
}

/*
 * The zygote counts as one more process, of which we know that it has what its children inherit.
 * Without sharing each process would have all of the image, also the part that it never maps.
 */
struct memory_sums
memory_sums_of(const struct zygote_generation *generation, const struct survey *survey,
	       const struct msg_stats *stats)
{
	const uint64_t shared = survey->pages[PAGES_SHARED] * PAGE_BYTES;
	const uint64_t unmapped = survey->image_bytes - survey->mapped_bytes;
	struct memory_sums sums = { .parked = stats->spare, .busy = stats->busy };
	const struct sample_store *samples = generation->samples;
	const uint64_t processes = sums.parked + sums.busy + 1 + generation->siblings_count;

	sums.probe_bytes = alone_bytes(survey->pages, 1, survey->page_table_bytes);
	sums.sample_bytes = sums.probe_bytes;
	/* The probe goes without, parked children but one in 64 do not. */
	if (stats->prefault_state == PREFAULT_ON)
		sums.probe_bytes += prefault_figures_of(generation).write_bytes;
	if (samples != NULL && samples->samples > 0)
		sums.sample_bytes =
			alone_bytes(samples->pages, samples->samples, samples->page_table_bytes);
	sums.rss_bytes = processes * survey->rollup.rss_bytes;
	sums.without_bytes = processes * (survey->rollup.rss_bytes + unmapped +
					  survey->page_table_bytes + KERNEL_STACK_BYTES);
	sums.with_bytes = shared + unmapped + survey->page_table_bytes + KERNEL_STACK_BYTES +
			  generation->siblings_count * sums.probe_bytes +
			  sums.parked * sums.probe_bytes + sums.busy * sums.sample_bytes;
	if (sums.without_bytes > sums.with_bytes)
		sums.saved_bytes = sums.without_bytes - sums.with_bytes;
	return sums;
}
