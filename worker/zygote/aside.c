/*
 * fork copies the books (anon_vma) and the page-table entries of each mapping that was written to, and exit drops them. Of
 * a process that did no more than start, half of these mappings are variables of libraries, which the loader has relocated,
 * and the first stack with environment and arguments. Children seldom look there, so these pages become a sealed file of
 * memory's, as the image's do (freeze.c): at the same addresses, and a child that needs one has it by a fault.
 *
 * Runs in: zygote, after the image was made and before the filter; each sibling moves its own. The rule: nothing in it
 * writes to a library's variables any more (errno is the thread's), or fork copies that mapping again.
 */
#include "aside.h"

#include "freeze.h"
#include "image_plan.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define NAME "zygoted-aside"

/* More is state, and the image's business: copying entries and faulting then cost about the same (image_plan.c). */
#define MOST_WRITTEN (128ul << 10)
/* Unwritten pages would be in memory twice. */
#define MOST_BYTES (1ul << 20)
/* Objects beyond are left as they are. */
#define SEGMENTS_MAX 512

/* Lives in a mapping of its own; the segments are the writable ones of what the loader has mapped. */
struct aside {
	struct image_plan *plan;
	uint64_t needed;
	bool moves_stack;
	bool is_program_seen;
	uint32_t count;
	struct {
		uint64_t start;
		uint64_t end;
	} segments[SEGMENTS_MAX];
};

/* The program comes first, dl_iterate_phdr(3), and stays: its variables are what the zygote goes on writing to. */
static int
add_segments(struct dl_phdr_info *object, size_t size, void *context)
{
	const uint64_t mask = IMAGE_PAGE - 1;
	struct aside *aside = context;

	(void)size;
	if (!aside->is_program_seen) {
		aside->is_program_seen = true;
		return 0;
	}
	for (int i = 0; i < object->dlpi_phnum && aside->count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *header = &object->dlpi_phdr[i];
		const uint64_t start = object->dlpi_addr + header->p_vaddr;
		if (header->p_type != PT_LOAD || (header->p_flags & PF_W) == 0)
			continue;
		if (aside->needed >= start && aside->needed < start + header->p_memsz)
			continue;
		aside->segments[aside->count].start = start & ~mask;
		aside->segments[aside->count++].end = (start + header->p_memsz + mask) & ~mask;
	}
	return 0;
}

/* The kernel has put 16 random bytes there: getauxval(3). */
static bool
is_first_stack(const struct maps_entry *entry)
{
	const uint64_t random = getauxval(AT_RANDOM);

	return random >= entry->start && random < entry->end && entry->flags == MAPS_STACK &&
	       entry->prot == (PROT_READ | PROT_WRITE);
}

static void
take(struct image_plan *plan, const struct maps_entry *entry, uint64_t start, uint64_t end)
{
	const uint64_t from = start > entry->start ? start : entry->start;
	const uint64_t to = end < entry->end ? end : entry->end;

	if (from < to && to - from <= MOST_BYTES && plan->parts_count < IMAGE_PARTS_MAX)
		image_plan_add(plan, entry, from, to);
}

static void
visit(void *context, const struct maps_entry *entry)
{
	struct aside *aside = context;

	if (aside->moves_stack && is_first_stack(entry)) {
		take(aside->plan, entry, entry->start, entry->end);
		return;
	}
	if (entry->anonymous_bytes == 0 || entry->anonymous_bytes > MOST_WRITTEN ||
	    (entry->prot & (PROT_READ | PROT_EXEC)) != PROT_READ || entry->flags != 0)
		return;
	for (uint32_t i = 0; i < aside->count; i++)
		take(aside->plan, entry, aside->segments[i].start, aside->segments[i].end);
}

static void
aside_free(struct aside *aside)
{
	if (aside->plan != NULL)
		image_plan_free(aside->plan);
	munmap(aside, sizeof(*aside));
}

struct aside *
aside_new(int smaps_fd, const void *needed, bool moves_stack)
{
	struct aside *aside = mmap(NULL, sizeof(*aside), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (aside == MAP_FAILED)
		return NULL;
	aside->needed = (uintptr_t)needed;
	aside->moves_stack = moves_stack;
	aside->plan = image_plan_alloc();
	dl_iterate_phdr(add_segments, aside);
	if (aside->plan != NULL && maps_walk(smaps_fd, aside->plan->text, visit, aside) == 0)
		return aside;
	const int error = errno;
	aside_free(aside);
	errno = error;
	return NULL;
}

int
aside_move(struct aside *aside)
{
	struct freeze_result result;
	const int error = freeze_move(aside->plan, NAME, 0, false, &result);

	aside_free(aside);
	return error;
}
