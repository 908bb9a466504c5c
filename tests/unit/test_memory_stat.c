/*
 * What the watch over children's memory reads in /proc/PID/stat.
 * LINK: daemon/supervisor/memory_stat.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/memory_stat.h"

#define TAIL "S 1 2 3 4 5 6 1000 77 20 88 9 10 11 12 20 0 1 0 4711 8192 333 18446744073709551615"

static void
test_fields_are_found_behind_any_name(void **state)
{
	static const char *const texts[] = {
		"42 (zygoted-zygote:) " TAIL " 1 1\n",
		"42 (a) S 1 (b) c) " TAIL,
		"42 () " TAIL,
		"42 (\n) " TAIL,
	};
	struct memory_stat stat;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(memory_stat_parse(texts[i], &stat), 0);
		assert_int_equal(stat.faults, 1000 + 20);
		assert_int_equal(stat.started, 4711);
		assert_int_equal(stat.resident, 333);
	}
}

static void
test_what_is_no_stat_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "42", "42 (a)", "42 (a) ", "42 (a) S", "42 (a) S 1 2 3", "42 (a) S 1 2 x 4 5",
	};
	struct memory_stat stat;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(memory_stat_parse(texts[i], &stat), -1);
}

static void
test_anonymous_pages_are_those_of_no_file(void **state)
{
	static const char *const bad[] = { "", "1", "1 2", "1 2 x", "a b c" };
	uint64_t pages = 7;

	(void)state;
	assert_int_equal(memory_stat_parse_anonymous("9000 5000 1200 20 0 300 0\n", &pages), 0);
	assert_int_equal(pages, 3800);
	assert_int_equal(memory_stat_parse_anonymous("9000 10 12 20 0 300 0\n", &pages), 0);
	assert_int_equal(pages, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(memory_stat_parse_anonymous(bad[i], &pages), -1);
}

static void
read_own(struct memory_stat *stat)
{
	char text[1024];
	FILE *file = fopen("/proc/self/stat", "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(memory_stat_parse(text, stat), 0);
}

/* The watch rests on it: no page without a fault. */
static void
test_a_page_costs_a_fault(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct memory_stat before;
	struct memory_stat after;
	char *memory =
		mmap(NULL, 1000 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(memory != MAP_FAILED);
	assert_int_equal(madvise(memory, 1000 * page, MADV_NOHUGEPAGE), 0);
	read_own(&before);
	for (size_t i = 0; i < 1000; i++)
		memory[i * page] = 1;
	read_own(&after);
	assert_true(after.faults >= before.faults + 1000);
	assert_int_equal(after.started, before.started);
	munmap(memory, 1000 * page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_found_behind_any_name),
		cmocka_unit_test(test_what_is_no_stat_is_refused),
		cmocka_unit_test(test_anonymous_pages_are_those_of_no_file),
		cmocka_unit_test(test_a_page_costs_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
