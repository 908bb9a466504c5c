/*
 * LINK: daemon/supervisor/maps_text.c
 *
 * The parser of /proc/PID/maps: real lines, hostile paths, and text that must not be taken for it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisor/maps_text.h"

static const char text[] =
	"55e2b58b4000-55e2b58c5000 r-xp 00000000 fe:00 12345      "
	"/usr/libexec/zygoted/zygoted-zygote\n"
	"55e2b58c5000-55e2b58c6000 rw-p 00010000 fe:00 12345      "
	"/usr/libexec/zygoted/zygoted-zygote\n"
	"55e2b58c6000-55e2b58c8000 rw-p 00000000 00:00 0 \n"
	"55e2b6cab000-55e2b6ccc000 rw-p 00000000 00:00 0          [heap]\n"
	"7f1dc0000000-7f1dd0000000 rw-p 00000000 00:01 1030       /memfd:zygoted-image (deleted)\n"
	"7f1dd0000000-7f1dd0004000 rw-p 00000000 00:01 1031       /memfd:zygoted-aside (deleted)\n"
	"7f1de0000000-7f1de0001000 ---p 00000000 00:00 0 \n"
	"7f1de1000000-7f1de1002000 rw-s 00000000 00:01 77         /dev/zero (deleted)\n"
	"7f1de2000000-7f1de2002000 r--p 00000000 fe:00 9          /tmp/a \x01\xc3\xa9 b.so\n"
	"7ffcef27f000-7ffcef2a0000 rw-p 00000000 00:00 0          [stack]\n"
	"7ffcef2b5000-7ffcef2b9000 r--p 00000000 00:00 0          [vvar]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n";

static void
test_real_lines(void **state)
{
	static const struct {
		enum mapping_kind kind;
		const char *name;
		const char *flags;
	} expected[] = {
		{ MAPPING_FILE, "zygoted-zygote", "r-x-" },
		{ MAPPING_FILE, "zygoted-zygote", "rw--" },
		{ MAPPING_DATA, "zygoted-zygote", "rw--" },
		{ MAPPING_HEAP, "", "rw--" },
		{ MAPPING_IMAGE, "", "rw--" },
		{ MAPPING_FILE, "aside", "rw--" },
		{ MAPPING_ANONYMOUS, "", "----" },
		{ MAPPING_FILE, "zero?(deleted)", "rw-s" },
		{ MAPPING_FILE, "a?????b.so", "r---" },
		{ MAPPING_STACK, "", "rw--" },
		{ MAPPING_KERNEL, "", "r---" },
		{ MAPPING_KERNEL, "", "--x-" },
	};
	struct mappings mappings;

	(void)state;
	assert_int_equal(mappings_parse(text, &mappings), 0);
	assert_int_equal(mappings.count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < mappings.count; i++) {
		const struct mapping *mapping = &mappings.list[i];
		assert_int_equal(mapping->kind, expected[i].kind);
		assert_string_equal(mapping->name, expected[i].name);
		assert_int_equal(mapping->readable, expected[i].flags[0] == 'r');
		assert_int_equal(mapping->writable, expected[i].flags[1] == 'w');
		assert_int_equal(mapping->executable, expected[i].flags[2] == 'x');
		assert_int_equal(mapping->is_shared, expected[i].flags[3] == 's');
	}
	assert_int_equal(mappings.list[3].start, 0x55e2b6cab000);
	assert_int_equal(mappings.list[3].end, 0x55e2b6ccc000);
	mappings_free(&mappings);
}

/* An interpreter's memory is not its last library's, wherever the kernel has put it. */
static void
test_much_behind_a_library_is_not_its_data(void **state)
{
	static const char rows[] = "10000000-10001000 rw-p 0 fe:00 9 /lib/a.so\n"
				   "10001000-10100000 rw-p 0 00:00 0 \n"
				   "20000000-20001000 rw-p 0 fe:00 9 /lib/b.so\n"
				   "20001000-20101000 rw-p 0 00:00 0 \n";
	struct mappings mappings;

	(void)state;
	assert_int_equal(mappings_parse(rows, &mappings), 0);
	assert_int_equal(mappings.count, 4);
	assert_int_equal(mappings.list[1].kind, MAPPING_DATA);
	assert_string_equal(mappings.list[1].name, "a.so");
	assert_int_equal(mappings.list[3].kind, MAPPING_ANONYMOUS);
	mappings_free(&mappings);
}

static void
test_malformed_text_is_refused(void **state)
{
	static const char *const rows[] = {
		"1000-2000 rw-p 00000000 00:00 0",		      /* no newline */
		"2000-1000 rw-p 00000000 00:00 0 \n",		      /* ends before it starts */
		"1000 2000 rw-p 00000000 00:00 0 \n",		      /* no dash */
		"1000-2000\n",					      /* cut short */
		"1000-2000 rw\n",				      /* cut short */
		"\n",						      /* nothing */
		"1000-3000 rw-p 0 0:0 0 \n2000-4000 rw-p 0 0:0 0 \n", /* overlap */
	};
	struct mappings mappings;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = 0;
		assert_int_equal(mappings_parse(rows[i], &mappings), -1);
		assert_int_equal(errno, EPROTO);
		assert_null(mappings.list);
	}
	assert_int_equal(mappings_parse("", &mappings), 0);
	assert_int_equal(mappings.count, 0);
	mappings_free(&mappings);
}

static void
test_own_maps_are_understood(void **state)
{
	static char own[65536];
	FILE *file = fopen("/proc/self/maps", "re");
	struct mappings mappings;
	int stacks = 0;

	(void)state;
	assert_non_null(file);
	own[fread(own, 1, sizeof(own) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(mappings_parse(own, &mappings), 0);
	for (size_t i = 0; i < mappings.count; i++)
		stacks += mappings.list[i].kind == MAPPING_STACK;
	assert_int_equal(stacks, 1);
	mappings_free(&mappings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_lines),
		cmocka_unit_test(test_much_behind_a_library_is_not_its_data),
		cmocka_unit_test(test_malformed_text_is_refused),
		cmocka_unit_test(test_own_maps_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
