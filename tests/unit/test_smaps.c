/*
 * LINK: daemon/supervisor/smaps.c
 *
 * The parser of /proc/PID/smaps_rollup: real text, and text that must not be taken for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/smaps.h"

#define ADDRESSES "5567a33c4000-7ffcef2bc000 ---p 00000000 00:00 0    [rollup]\n"

static const char complete[] = ADDRESSES "Rss:                1620 kB\n"
					 "Pss:                 379 kB\n"
					 "Pss_Dirty:           116 kB\n"
					 "Shared_Clean:       1436 kB\n"
					 "Shared_Dirty:          4 kB\n"
					 "Private_Clean:        64 kB\n"
					 "Private_Dirty:       116 kB\n"
					 "Referenced:         1620 kB\n"
					 "Anonymous:           120 kB\n"
					 "SomethingNew:       word\n"
					 "Swap:                  8 kB\n"
					 "Locked:                0 kB\n";

static void
test_complete_text_gives_every_field(void **state)
{
	struct smaps_rollup rollup;

	(void)state;
	assert_int_equal(smaps_parse_rollup(complete, &rollup), 0);
	assert_int_equal(rollup.rss_bytes, 1620 * 1024);
	assert_int_equal(rollup.pss_bytes, 379 * 1024);
	assert_int_equal(rollup.shared_clean_bytes, 1436 * 1024);
	assert_int_equal(rollup.shared_dirty_bytes, 4 * 1024);
	assert_int_equal(rollup.private_clean_bytes, 64 * 1024);
	assert_int_equal(rollup.private_dirty_bytes, 116 * 1024);
	assert_int_equal(rollup.anonymous_bytes, 120 * 1024);
	assert_int_equal(rollup.swap_bytes, 8 * 1024);
	assert_int_equal(smaps_shared_bytes(&rollup), 1440 * 1024);
	assert_int_equal(smaps_private_bytes(&rollup), 180 * 1024);
}

static void
test_added_is_what_is_both_private_and_anonymous_at_most(void **state)
{
	struct smaps_rollup image = { .private_clean_bytes = 200 << 20, .anonymous_bytes = 4096 };
	struct smaps_rollup inherited = { .private_dirty_bytes = 8192,
					  .anonymous_bytes = 200 << 20 };

	(void)state;
	assert_int_equal(smaps_added_bytes(&image), 4096);
	assert_int_equal(smaps_added_bytes(&inherited), 8192);
}

static void
test_own_map_is_understood(void **state)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char text[4096];
	struct smaps_rollup rollup;

	(void)state;
	if (file == NULL)
		skip();
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(smaps_parse_rollup(text, &rollup), 0);
	assert_true(rollup.rss_bytes > 0);
	assert_int_equal(smaps_shared_bytes(&rollup) + smaps_private_bytes(&rollup),
			 rollup.rss_bytes);
}

/* The complete text with the first `from` replaced by `to` must be refused. */
static void
assert_refused_with(const char *from, const char *to)
{
	struct smaps_rollup rollup;
	const char *at = strstr(complete, from);
	char text[sizeof(complete) + 64];

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - complete), complete, to,
		 at + strlen(from));
	if (smaps_parse_rollup(text, &rollup) == 0)
		fail_msg("accepted with \"%s\" for \"%s\"", to, from);
}

static void
test_malformed_text_is_refused(void **state)
{
	static const char *const changes[][2] = {
		{ "Rss:                1620 kB\n", "" },
		{ "Swap:                  8 kB\n", "" },
		{ "Pss:  ", "Rss:  " },
		{ "1620 kB", "1620 MB" },
		{ "1620 kB", "1620" },
		{ "1620 kB", "1620 kB " },
		{ "1620 kB", "kB" },
		{ "1620 kB", "-1 kB" },
		{ "1620 kB", "0x10 kB" },
		{ "1620 kB", "16 20 kB" },
		{ "1620 kB", "18446744073709551616 kB" },
		{ "1620 kB", "18014398509481984 kB" },
		{ "SomethingNew:", "SomethingNew" },
		{ "Locked:                0 kB\n", "Locked:" },
		{ "Locked:                0 kB\n", "\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_refused_with(changes[i][0], changes[i][1]);
}

static void
test_largest_number_fits(void **state)
{
	struct smaps_rollup rollup;
	char text[sizeof(complete) + 64];

	(void)state;
	snprintf(text, sizeof(text), ADDRESSES "Rss: 18014398509481983 kB\n%s",
		 strstr(complete, "Pss: "));
	assert_int_equal(smaps_parse_rollup(text, &rollup), 0);
	assert_true(rollup.rss_bytes == UINT64_MAX - 1023);
}

static void
test_empty_and_cut_text_is_refused(void **state)
{
	struct smaps_rollup rollup;
	char text[sizeof(complete)];

	(void)state;
	/* "Locked" may be missing, so every cut before it counts. */
	for (size_t length = 0; length < sizeof(complete) - sizeof("Locked:                0 kB\n");
	     length++) {
		memcpy(text, complete, length);
		text[length] = '\0';
		assert_int_equal(smaps_parse_rollup(text, &rollup), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete_text_gives_every_field),
		cmocka_unit_test(test_added_is_what_is_both_private_and_anonymous_at_most),
		cmocka_unit_test(test_own_map_is_understood),
		cmocka_unit_test(test_malformed_text_is_refused),
		cmocka_unit_test(test_largest_number_fits),
		cmocka_unit_test(test_empty_and_cut_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
