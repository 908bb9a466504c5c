/*
 * LINK: worker/zygote/maps.c worker/zygote/maps_walk.c
 *
 * The parser of /proc/self/smaps: real lines, and lines that must not be taken for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "zygote/maps.h"
#include "zygote/maps_walk.h"

static void
test_a_mapping_line_gives_all_fields(void **state)
{
	static const struct {
		const char *line;
		struct maps_entry entry;
	} cases[] = {
		{ "7f00aa000-7f00ab000 rw-p 00000000 00:00 0 ",
		  { .start = 0x7f00aa000, .end = 0x7f00ab000, .prot = PROT_READ | PROT_WRITE } },
		{ "1000-2000 ---p 00000000 00:00 0", { .start = 0x1000, .end = 0x2000 } },
		{ "55d0-66d0 rw-p 00000000 00:00 0                          [heap]",
		  { .start = 0x55d0,
		    .end = 0x66d0,
		    .prot = PROT_READ | PROT_WRITE,
		    .name = "[heap]" } },
		{ "1000-2000 r-xs 00001000 fe:01 4711       /usr/lib/a b.so",
		  { .start = 0x1000,
		    .end = 0x2000,
		    .prot = PROT_READ | PROT_EXEC,
		    .flags = MAPS_SHARED,
		    .inode = 4711,
		    .name = "/usr/lib/a b.so" } },
		{ "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  "
		  "[vsyscall]",
		  { .start = 0xffffffffff600000,
		    .end = 0xffffffffff601000,
		    .prot = PROT_EXEC,
		    .name = "[vsyscall]" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct maps_entry entry = { .anonymous_bytes = 99, .flags = ~0u };
		assert_int_equal(maps_parse_line(cases[i].line, &entry), MAPS_LINE_ENTRY);
		assert_int_equal(entry.start, cases[i].entry.start);
		assert_int_equal(entry.end, cases[i].entry.end);
		assert_int_equal(entry.prot, cases[i].entry.prot);
		assert_int_equal(entry.flags, cases[i].entry.flags);
		assert_int_equal(entry.inode, cases[i].entry.inode);
		assert_int_equal(entry.anonymous_bytes, 0);
		assert_string_equal(entry.name, cases[i].entry.name);
	}
}

static void
test_a_long_name_is_cut(void **state)
{
	char line[256] = "1000-2000 rw-p 0 00:00 1 ";
	struct maps_entry entry;

	(void)state;
	memset(line + strlen(line), 'x', 200);
	assert_int_equal(maps_parse_line(line, &entry), MAPS_LINE_ENTRY);
	assert_int_equal(strlen(entry.name), MAPS_NAME_MAX - 1);
}

static void
test_what_is_no_mapping_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"1000",
		"1000-",
		"1000-2000",
		"2000-1000 rw-p 0 00:00 0",
		"1000-1000 rw-p 0 00:00 0",
		"1000-2000 rw-x 0 00:00 0",
		"1000-2000 wr-p 0 00:00 0",
		"1000-2000 rw-p0 00:00 0",
		"1000-2000 rw-p 0 0000 0",
		"1000-2000 rw-p 0 00:00 0x",
		"1000-2000 rw-p 0 00:00",
		"10000000000000000-20000000000000000 rw-p 0 00:00 0",
		"Anonymous 12 kB",
		"Anonymous: 12 MB",
		"Anonymous: kB",
		"Anonymous: -1 kB",
		"Swap: 99999999999999999999 kB",
		"Swap: 18014398509481984 kB",
		"ProtectionKey: x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct maps_entry entry = { .start = 1, .end = 2, .anonymous_bytes = 3 };
		if (maps_parse_line(lines[i], &entry) != MAPS_LINE_BAD)
			fail_msg("accepted: %s", lines[i]);
		assert_true(entry.start == 1 && entry.end == 2 && entry.anonymous_bytes == 3);
	}
}

static void
test_details_add_up(void **state)
{
	static const struct {
		const char *line;
		unsigned flags;
		uint64_t bytes;
	} details[] = {
		{ "Size:                  4 kB", 0, 0 },
		{ "Anonymous:            12 kB", 0, 12 << 10 },
		{ "AnonHugePages:      2048 kB", 0, 12 << 10 },
		{ "Swap:                  4 kB", 0, 16 << 10 },
		{ "SwapPss:               4 kB", 0, 16 << 10 },
		{ "ProtectionKey:         0", 0, 16 << 10 },
		{ "VmFlags: rd wr mr mw me ac ", 0, 16 << 10 },
		{ "VmFlags: rd wr hg", MAPS_HUGE, 16 << 10 },
		{ "VmFlags: dc wf lo gd",
		  MAPS_HUGE | MAPS_NO_FORK | MAPS_WIPED | MAPS_LOCKED | MAPS_STACK, 16 << 10 },
		{ "ProtectionKey:         3",
		  MAPS_HUGE | MAPS_NO_FORK | MAPS_WIPED | MAPS_LOCKED | MAPS_STACK | MAPS_IMMOVABLE,
		  16 << 10 },
	};
	struct maps_entry entry = { .start = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		assert_int_equal(maps_parse_line(details[i].line, &entry), MAPS_LINE_DETAIL);
		assert_int_equal(entry.flags, details[i].flags);
		assert_int_equal(entry.anonymous_bytes, details[i].bytes);
	}
}

/* ---- this process's own ---- */

struct seen {
	const char *wanted;
	struct maps_entry entry;
	unsigned count;
};

static void
on_entry(void *context, const struct maps_entry *entry)
{
	struct seen *seen = context;

	seen->count++;
	if (entry->start <= (uintptr_t)seen->wanted && (uintptr_t)seen->wanted < entry->end)
		seen->entry = *entry;
}

/* Maps three pages, writes to two, has the kernel list them. */
static void
look_at_own(int advice, struct seen *seen)
{
	static char text[MAPS_TEXT_BYTES];
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);

	assert_true(memory != MAP_FAILED && fd >= 0);
	assert_int_equal(madvise(memory, 3 * page, advice), 0);
	assert_int_equal(mprotect(memory, 3 * page, PROT_READ | PROT_WRITE), 0);
	memory[0] = memory[page] = 1;
	*seen = (struct seen){ .wanted = memory };
	assert_int_equal(maps_walk(fd, text, on_entry, seen), 0);
	close(fd);
	munmap(memory, 3 * page);
}

static void
test_own_mappings_are_found(void **state)
{
	struct seen seen;

	(void)state;
	look_at_own(MADV_DONTFORK, &seen);
	assert_true(seen.count > 10);
	assert_int_equal(seen.entry.flags, MAPS_NO_FORK);
	assert_int_equal(seen.entry.prot, PROT_READ | PROT_WRITE);
	assert_int_equal(seen.entry.anonymous_bytes, 2 * 4096);
	look_at_own(MADV_WIPEONFORK, &seen);
	assert_int_equal(seen.entry.flags, MAPS_WIPED);
}

static void
test_a_file_of_something_else_is_refused(void **state)
{
	static char text[MAPS_TEXT_BYTES];
	static const char *const paths[] = { "/proc/self/status", "/proc/self/cmdline" };
	struct seen seen = { .wanted = NULL };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		errno = 0;
		assert_int_equal(maps_walk(fd, text, on_entry, &seen), -1);
		assert_int_equal(errno, EPROTO);
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mapping_line_gives_all_fields),
		cmocka_unit_test(test_a_long_name_is_cut),
		cmocka_unit_test(test_what_is_no_mapping_is_refused),
		cmocka_unit_test(test_details_add_up),
		cmocka_unit_test(test_own_mappings_are_found),
		cmocka_unit_test(test_a_file_of_something_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
