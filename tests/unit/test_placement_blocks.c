/*
 * LINK: worker/python/placement_blocks.c
 * LINK: worker/python/placement_use.c
 *
 * The table of Python's blocks: which of them a forked process uses, and that many in a row are no hindrance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "python/placement_parts.h"

#define PAGES	  64u
#define FIRST(i)  ((uint64_t)(i) << 32 | 4)
#define SECOND(i) ((uint64_t)(i) << 32 | 8)

static struct placement_keys *
new_keys(void)
{
	struct placement_keys *keys = mmap(NULL, sizeof(*keys), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(keys, MAP_FAILED);
	return keys;
}

static int
is_any(const void *block)
{
	(void)block;
	return 1;
}

/* Two blocks on each page; the second one of the first page was freed. */
static char *
new_blocks(void)
{
	char *memory = mmap(NULL, PAGES * PLACEMENT_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	assert_int_equal(placement_blocks_open(), 0);
	for (unsigned i = 0; i < PAGES; i++) {
		memory[i * PLACEMENT_PAGE] = 1;
		placement_blocks_add(memory + i * PLACEMENT_PAGE, 16, FIRST(i));
		placement_blocks_add(memory + i * PLACEMENT_PAGE + 512, 100, SECOND(i));
	}
	placement_blocks_remove(memory + 512);
	placement_blocks_remove(memory + 528); /* there is none */
	return memory;
}

/* A process that reads each fourth page and the one behind it, and writes to that. */
static void
use_pages(volatile char *memory, int is_exact, struct placement_keys *keys)
{
	int status, error;
	const pid_t child = fork();

	if (child == 0) {
		error = placement_use_begin(is_exact);
		for (unsigned i = 0; i < PAGES && error == 0; i += 4)
			memory[(i + 1) * PLACEMENT_PAGE + 4000] = memory[i * PLACEMENT_PAGE];
		_exit(error != 0 ? error : placement_use_end(is_any, keys));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static unsigned
use_of(struct placement_keys *keys, uint64_t key)
{
	const uint64_t slot = *placement_keys_find(keys, key);

	assert_true(slot == 0 || placement_keys_may_have(keys, key));
	return slot & PLACEMENT_USE_BITS;
}

static void
test_blocks_on_used_pages_are_found(void **state)
{
	static const unsigned expected[4] = { PLACEMENT_READ, PLACEMENT_WRITTEN, PLACEMENT_UNUSED,
					      PLACEMENT_UNUSED };
	struct placement_keys *keys = new_keys();

	(void)state;
	use_pages(new_blocks(), 1, keys);
	assert_int_equal(keys->count, 2 * PAGES / 2 - 1);
	for (unsigned i = 0; i < PAGES; i++) {
		assert_int_equal(use_of(keys, FIRST(i)), expected[i % 4]);
		assert_int_equal(use_of(keys, SECOND(i)),
				 i == 0 ? PLACEMENT_UNUSED : expected[i % 4]);
	}
	assert_int_equal(keys->bytes[PLACEMENT_WRITTEN],
			 PAGES / 4 * (116 + 2 * PLACEMENT_OVERHEAD));
}

static void
test_blocks_on_written_pages_are_found_in_pagemap(void **state)
{
	struct placement_keys *keys = new_keys();

	(void)state;
	use_pages(new_blocks(), 0, keys);
	assert_int_equal(keys->count, 2 * PAGES / 4);
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(use_of(keys, FIRST(i)),
				 i % 4 == 1 ? PLACEMENT_WRITTEN : PLACEMENT_UNUSED);
}

/* The addresses alone matter. One row without a gap, and others at each 64 MiB from its begin on. */
static void
test_many_blocks_in_a_row_are_no_hindrance(void **state)
{
	const uintptr_t row = UINT64_C(0x7f0000000000);
	const clock_t begin = clock();

	(void)state;
	assert_int_equal(placement_blocks_open(), 0);
	for (uintptr_t i = 0; i < 2000000; i++)
		placement_blocks_add((const void *)(row + i * 16), 16, i + 1);
	for (uintptr_t i = 0; i < 40000; i++)
		placement_blocks_add((const void *)(row + (1 + i % 16) * (64ul << 20) + i * 64), 64,
				     i + 1);
	assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_on_used_pages_are_found),
		cmocka_unit_test(test_blocks_on_written_pages_are_found_in_pagemap),
		cmocka_unit_test(test_many_blocks_in_a_row_are_no_hindrance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
