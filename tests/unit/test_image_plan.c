/*
 * LINK: worker/zygote/maps.c worker/zygote/maps_walk.c worker/zygote/image_plan.c worker/zygote/freeze.c
 *
 * What of a process's memory moves into an image, and what is in it afterwards. This process is the one that is frozen, in
 * a child where that is more than looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "zygote/freeze.h"
#include "zygote/image_plan.h"

#define KIB 1024ul
#define MIB (1024 * KIB)

/* A sanitizer's memory cannot be moved, and zygotes built with one do not try. */
static void
skip_if_sanitized(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
}

static char *
map(size_t size, int prot, int flags)
{
	char *at = mmap(NULL, size, prot, MAP_ANONYMOUS | flags, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

/* Guards keep the kernel from making one mapping of neighbours, and the thread's block at a distance. */
#define GUARD (128 * KIB)

static char *
map_filled(size_t size)
{
	char *at = map(size + 2 * GUARD, PROT_NONE, MAP_PRIVATE);

	assert_int_equal(mprotect(at + GUARD, size, PROT_READ | PROT_WRITE), 0);
	memset(at + GUARD, 'x', size);
	return at + GUARD;
}

static struct image_plan *
make_plan(void)
{
	int smaps_fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	int pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct image_plan *plan = image_plan_new(smaps_fd, pagemap_fd);

	assert_non_null(plan);
	close(smaps_fd);
	close(pagemap_fd);
	return plan;
}

/* The part that an address is in, NULL when it does not move. */
static const struct image_part *
part_of(const struct image_plan *plan, const void *address)
{
	for (uint32_t i = 0; i < plan->parts_count; i++)
		if (plan->parts[i].start <= (uintptr_t)address &&
		    (uintptr_t)address < plan->parts[i].end)
			return &plan->parts[i];
	return NULL;
}

static void
test_large_private_memory_moves(void **state)
{
	char *written = map_filled(MIB);
	char *constant = map_filled(MIB);

	skip_if_sanitized(state);
	assert_int_equal(mprotect(constant, MIB, PROT_READ), 0);
	struct image_plan *plan = make_plan();
	const struct image_part *part = part_of(plan, written);
	assert_non_null(part);
	assert_int_equal(part->start, (uintptr_t)written);
	assert_int_equal(part->end, (uintptr_t)written + MIB);
	assert_int_equal(part->prot, PROT_READ | PROT_WRITE);
	assert_int_equal(part->offset % IMAGE_HUGE_PAGE, part->start % IMAGE_HUGE_PAGE);
	assert_non_null(part_of(plan, constant));
	assert_int_equal(part_of(plan, constant)->prot, PROT_READ);
	assert_true(plan->state_bytes >= 2 * MIB && plan->file_bytes >= 2 * MIB);
	image_plan_free(plan);
	munmap(written, MIB);
	munmap(constant, MIB);
}

static void
test_the_zygotes_own_pages_stay_whatever_lies_beside_them(void **state)
{
	static char variable;
	char *beside = map(2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	skip_if_sanitized(state);
	memset(beside, 'x', 2 * MIB);
	errno = 0;
	struct image_plan *plan = make_plan();
	assert_null(part_of(plan, &variable));
	assert_null(part_of(plan, &errno));
	assert_null(part_of(plan, plan));
	assert_null(part_of(plan, &plan)); /* the stack */
	assert_non_null(part_of(plan, beside + MIB));
	image_plan_free(plan);
	munmap(beside, 2 * MIB);
}

static void
test_what_a_new_mapping_would_change_stays(void **state)
{
	static const struct {
		int advice; /* or -1: */
		int prot;
		int lock;
		bool is_left; /* and the operator is told */
	} cases[] = {
		{ MADV_DONTFORK, PROT_READ | PROT_WRITE, 0, false },
		{ MADV_WIPEONFORK, PROT_READ | PROT_WRITE, 0, true },
		{ -1, PROT_NONE, 0, true },
		{ -1, PROT_READ | PROT_EXEC, 0, true },
		{ -1, PROT_READ | PROT_WRITE, 1, true },
	};

	skip_if_sanitized(state);
	struct image_plan *before = make_plan();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *at = map_filled(256 * KIB);
		if (cases[i].advice >= 0)
			assert_int_equal(madvise(at, 256 * KIB, cases[i].advice), 0);
		if (cases[i].lock && mlock(at, 256 * KIB) < 0)
			continue;
		assert_int_equal(mprotect(at, 256 * KIB, cases[i].prot), 0);
		struct image_plan *plan = make_plan();
		assert_null(part_of(plan, at));
		assert_int_equal(plan->left_bytes - before->left_bytes,
				 cases[i].is_left ? 256 * KIB : 0);
		image_plan_free(plan);
		munmap(at, 256 * KIB);
	}
	image_plan_free(before);
}

static void
test_shared_and_small_memory_stays(void **state)
{
	char *shared = map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED);
	char *small = map_filled(64 * KIB);

	skip_if_sanitized(state);
	memset(shared, 'x', MIB);
	struct image_plan *plan = make_plan();
	assert_null(part_of(plan, shared));
	assert_null(part_of(plan, small));
	image_plan_free(plan);
	munmap(shared, MIB);
	munmap(small, 64 * KIB);
}

static void
test_long_stretches_without_data_are_holes(void **state)
{
	char *at = map(64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	skip_if_sanitized(state);
	assert_int_equal(madvise(at, 64 * MIB, MADV_NOHUGEPAGE), 0);
	memset(at + 10 * MIB, 'x', MIB);
	at[11 * MIB + 512 * KIB] =
		'x'; /* so near that what is between is a hole of the file only */
	at[40 * MIB] = 'x';
	struct image_plan *plan = make_plan();
	const struct image_part *part = part_of(plan, at + 10 * MIB);
	assert_true(!part->is_hole && part == part_of(plan, at + 11 * MIB + 512 * KIB));
	assert_int_equal(part->end, (uintptr_t)at + 11 * MIB + 512 * KIB + IMAGE_PAGE);
	assert_true(!part_of(plan, at + 40 * MIB)->is_hole);
	assert_true(part_of(plan, at + 20 * MIB)->is_hole);
	assert_true(part_of(plan, at + 63 * MIB)->is_hole);
	assert_true(plan->file_bytes < 64 * MIB);
	image_plan_free(plan);
	munmap(at, 64 * MIB);
}

/* ---- moved ---- */

static const char *
move_and_look(char *at, char *sparse)
{
	struct image_plan *plan = make_plan();
	struct freeze_result result;

	for (size_t i = 0; i < 3 * MIB; i++)
		at[i] = (char)(i * 31 >> 3);
	memset(at + MIB, 0, MIB);
	if (freeze_move(plan, FREEZE_NAME, MIB, false, &result) != 0)
		return "not moved";
	for (size_t i = 0; i < 3 * MIB; i++)
		if (at[i] != (char)(i >= MIB && i < 2 * MIB ? 0 : i * 31 >> 3))
			return "other contents";
	if (sparse[0] != 'a' || sparse[32 * MIB] != 'b' || sparse[16 * MIB] != 0)
		return "other contents of what is sparse";
	if (result.image_bytes < 2 * MIB || result.image_bytes > 8 * MIB)
		return "other size";
	at[5] = 1; /* is one's own */
	char *copy = mremap(at, 3 * MIB, 4 * MIB, MREMAP_MAYMOVE);
	return copy == MAP_FAILED || copy[5] != 1 ? "cannot grow" : NULL;
}

/* In a child, since nobody knows what cmocka makes of moved memory. */
static void
test_moved_memory_is_what_it_was(void **state)
{
	char *at = map_filled(3 * MIB);
	char *sparse = map(64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
	int status;

	skip_if_sanitized(state);
	assert_int_equal(madvise(sparse, 64 * MIB, MADV_NOHUGEPAGE), 0);
	for (size_t i = 0; i < 40; i++) {
		sparse[i * IMAGE_PAGE] = 'a';
		sparse[32 * MIB + i * IMAGE_PAGE] = 'b';
	}
	pid_t pid = fork();
	if (pid == 0) {
		const char *wrong = move_and_look(at, sparse);
		if (wrong != NULL)
			(void)!write(STDERR_FILENO, wrong, strlen(wrong));
		_exit(wrong != NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	munmap(at, 3 * MIB);
	munmap(sparse, 64 * MIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_private_memory_moves),
		cmocka_unit_test(test_the_zygotes_own_pages_stay_whatever_lies_beside_them),
		cmocka_unit_test(test_what_a_new_mapping_would_change_stays),
		cmocka_unit_test(test_shared_and_small_memory_stays),
		cmocka_unit_test(test_long_stretches_without_data_are_holes),
		cmocka_unit_test(test_moved_memory_is_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
