/*
 * What moves: large private memory that a child could read, whatever made it. That are the heap, large blocks of malloc,
 * mappings of a language's runtime, data of libraries if enough of it was written to. What stays: whatever the zygote itself
 * goes on writing to, and mappings that are more than their contents (enum maps_flag).
 *
 * Runs in: zygote, at the end of its lock-down. Allocates in a mapping of its own only.
 */
#include "image_plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * With less a mapping stays. Copying the page-table entries of 32 pages at fork, and dropping them at exit, costs about as
 * much as the faults by which a child gets at some of them again.
 */
#define LEAST_BYTES (128ul << 10)
/* Address space that is reserved at that size has an end that nobody wants to walk to. */
#define MOST_BYTES (256ul << 30)
/* Shorter stretches without data become holes of the file; so do longer ones where they would be too many. */
#define GAP_BYTES    (1ul << 20)
#define GAPS_MAX     64
#define PARTS_OF_ONE ((OWN_RANGES + 1) * (2 * GAPS_MAX + 3))
#define PAGE_PRESENT (1ull << 63) /* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_SWAPPED (1ull << 62)

/* Of the program itself, by the linker. */
extern const char __executable_start[], end[];

/*
 * What the zygote writes to as long as it lives: its variables, and of the thread's block errno. The kernel makes one
 * mapping of neighbours, so a worker's memory may be in the same: these pages stay, and what is around them moves.
 */
struct range {
	uint64_t start;
	uint64_t end;
};

/* The thread's variables lie below the pointer, its control block above; both are a few KiB in size. */
#define THREAD_BYTES (64ul << 10)

enum { OWN_RANGES = 2 };

static void
own_ranges(struct range own_out[OWN_RANGES])
{
	const uint64_t mask = IMAGE_PAGE - 1;
	const uint64_t thread = (uintptr_t)__builtin_thread_pointer() & ~mask;
	const struct range variables = { (uintptr_t)__executable_start & ~mask,
					 ((uintptr_t)end + mask) & ~mask };
	const struct range block = { thread - THREAD_BYTES, thread + THREAD_BYTES };

	own_out[0] = variables.start < block.start ? variables : block;
	own_out[1] = variables.start < block.start ? block : variables;
}

/* Other names in brackets are the kernel's: stack, vdso and the like. */
static bool
has_plain_name(const char *name)
{
	return name[0] != '[' || strcmp(name, "[heap]") == 0 || strncmp(name, "[anon:", 6) == 0;
}

/*
 * Executable memory stays what it is: an image is data. A file of which little was written to is in the page cache already,
 * and in the image it would be there twice.
 */
static bool
is_movable(const struct maps_entry *entry)
{
	const uint64_t bytes = entry->end - entry->start;

	return (entry->prot & (PROT_READ | PROT_EXEC)) == PROT_READ &&
	       (entry->flags & ~(unsigned)MAPS_HUGE) == 0 && bytes <= MOST_BYTES &&
	       (entry->inode == 0 || entry->anonymous_bytes >= bytes / 2);
}

static uint64_t
gap_least(const struct maps_entry *entry)
{
	const uint64_t least = (entry->end - entry->start) / GAPS_MAX;

	return least > GAP_BYTES ? least : GAP_BYTES;
}

/*
 * In the file as far from a huge page's begin as in memory: huge pages can only be mapped so. Neighbours are neighbours there
 * too, and may become one mapping.
 */
static uint64_t
place(struct image_plan *plan, uint64_t start, uint64_t bytes)
{
	const uint64_t mask = IMAGE_HUGE_PAGE - 1;
	const struct image_part *last =
		plan->parts_count > 0 ? &plan->parts[plan->parts_count - 1] : NULL;
	const bool is_next = last != NULL && !last->is_hole && last->end == start;
	const uint64_t offset =
		is_next ? plan->file_bytes : ((plan->file_bytes + mask) & ~mask) + (start & mask);

	plan->file_bytes = offset + bytes;
	return offset;
}

static void
add_part(struct image_plan *plan, const struct maps_entry *entry, uint64_t from, uint64_t to,
	 bool is_hole)
{
	if (from == to)
		return;
	const uint64_t offset = is_hole ? 0 : place(plan, from, to - from);
	plan->parts[plan->parts_count++] = (struct image_part){
		.start = from,
		.end = to,
		.offset = offset,
		.prot = entry->prot,
		.is_hole = is_hole,
		.is_file = entry->inode != 0,
		.is_huge = (entry->flags & MAPS_HUGE) != 0,
	};
}

/* Entries of /proc/self/pagemap, a buffer at a time; `page` counts from address 0. */
static bool
is_used(struct image_plan *plan, uint64_t page, uint64_t *first, uint64_t *count)
{
	if (page - *first >= *count) {
		ssize_t bytes = pread(plan->pagemap_fd, plan->pages, sizeof(plan->pages),
				      (off_t)(page * sizeof(uint64_t)));
		if (bytes < (ssize_t)sizeof(uint64_t)) {
			plan->error = bytes < 0 ? errno : EPROTO;
			return false;
		}
		*first = page;
		*count = (uint64_t)bytes / sizeof(uint64_t);
	}
	return (plan->pages[page - *first] & (PAGE_PRESENT | PAGE_SWAPPED)) != 0;
}

/* Parts with data where pages are in use, with holes in between where there are none for long. */
static void
split(struct image_plan *plan, const struct maps_entry *entry)
{
	const uint64_t gap = gap_least(entry);
	uint64_t done = entry->start; /* below it all parts are made */
	uint64_t from = 0, to = 0;    /* the part that grows */
	uint64_t first = 0, count = 0;

	for (uint64_t at = entry->start; at < entry->end && plan->error == 0; at += IMAGE_PAGE) {
		if (!is_used(plan, at / IMAGE_PAGE, &first, &count))
			continue;
		plan->state_bytes += IMAGE_PAGE;
		if (to == 0 || at - to >= gap) {
			add_part(plan, entry, from, to, false);
			done = to != 0 ? to : done;
			from = at - done >= gap ? at : done;
			add_part(plan, entry, done, from, true);
		}
		to = at + IMAGE_PAGE;
	}
	if (to == 0)
		return; /* all of it went while it was looked at, or cannot be seen */
	if (entry->end - to < gap)
		to = entry->end;
	add_part(plan, entry, from, to, false);
	add_part(plan, entry, to, entry->end, true);
}

static void
take(struct image_plan *plan, const struct maps_entry *entry, uint64_t from, uint64_t to)
{
	struct maps_entry piece = *entry;

	piece.start = from;
	piece.end = to;
	if (from >= to)
		return;
	if (entry->inode == 0) {
		split(plan, &piece);
		return;
	}
	/* What is not in memory is in the file that it was mapped from. */
	plan->state_bytes += to - from;
	add_part(plan, &piece, from, to, false);
}

/* All of the mapping but for the zygote's own pages. */
static void
take_around_own(struct image_plan *plan, const struct maps_entry *entry)
{
	struct range own[OWN_RANGES];
	uint64_t from = entry->start;

	own_ranges(own);
	for (int i = 0; i < OWN_RANGES; i++) {
		if (own[i].start >= entry->end || own[i].end <= from)
			continue;
		take(plan, entry, from, own[i].start);
		from = own[i].end;
	}
	take(plan, entry, from, entry->end);
}

/* What moves is not to move below who moves it. */
static bool
is_stack_in_use(const struct maps_entry *entry)
{
	const uint64_t frame = (uintptr_t)__builtin_frame_address(0);

	return frame >= entry->start && frame < entry->end;
}

static void
visit(void *context, const struct maps_entry *entry)
{
	struct image_plan *plan = context;

	if (entry->anonymous_bytes < LEAST_BYTES || !has_plain_name(entry->name) ||
	    (entry->flags & MAPS_NO_FORK) != 0 || plan->error != 0 || is_stack_in_use(entry))
		return;
	if (!is_movable(entry) || plan->parts_count + PARTS_OF_ONE > IMAGE_PARTS_MAX) {
		plan->left_bytes += entry->anonymous_bytes;
		return;
	}
	plan->mappings++;
	take_around_own(plan, entry);
}

/* Shared, so that it is never one mapping with anything that moves. */
struct image_plan *
image_plan_alloc(void)
{
	struct image_plan *plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return plan != MAP_FAILED ? plan : NULL;
}

void
image_plan_add(struct image_plan *plan, const struct maps_entry *entry, uint64_t from, uint64_t to)
{
	add_part(plan, entry, from, to, false);
}

struct image_plan *
image_plan_new(int smaps_fd, int pagemap_fd)
{
	struct image_plan *plan = image_plan_alloc();

	if (plan == NULL)
		return NULL;
	plan->pagemap_fd = pagemap_fd;
	if (maps_walk(smaps_fd, plan->text, visit, plan) < 0)
		plan->error = errno;
	if (plan->error == 0)
		return plan;
	int error = plan->error;
	image_plan_free(plan);
	errno = error;
	return NULL;
}

void
image_plan_free(struct image_plan *plan)
{
	munmap(plan, sizeof(*plan));
}
