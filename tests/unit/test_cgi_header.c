/* LINK: worker/exec/header.c
 *
 * The header of a CGI response: where it ends, what it says, and what is none.
 */
#include "exec/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static char bytes[HEADER_BYTES_MAX];

static const char *
parse(const char *text, size_t size, struct header *out)
{
	size_t seen = 0;

	assert_true(size <= sizeof(bytes));
	memcpy(bytes, text, size);
	assert_int_equal(header_find_end(bytes, size, &seen), size);
	return header_parse(bytes, size, out);
}

static void
test_fields(void **state)
{
	static const char text[] = "Content-Type:text/plain\r\nX-One: \t a b \nStatus: 404 None\n"
				   "content-length: 12\r\nConnection: close\nX-Empty:\n\r\n";
	struct header header;

	(void)state;
	assert_null(parse(text, sizeof(text) - 1, &header));
	assert_int_equal(header.status, 404);
	assert_true(header.has_length);
	assert_int_equal(header.length, 12);
	assert_int_equal(header.count, 3);
	assert_string_equal(header.fields[0].name, "Content-Type");
	assert_string_equal(header.fields[0].value, "text/plain");
	assert_string_equal(header.fields[1].value, "a b");
	assert_string_equal(header.fields[2].value, "");
}

static void
test_a_location_alone_redirects(void **state)
{
	static const char alone[] = "Location: /a\n\n";
	static const char with_status[] = "Location: /a\nStatus: 307\n\n";
	struct header header;

	(void)state;
	assert_null(parse(alone, sizeof(alone) - 1, &header));
	assert_int_equal(header.status, 302);
	assert_null(parse(with_status, sizeof(with_status) - 1, &header));
	assert_int_equal(header.status, 307);
}

/* Byte by byte the end is found where it is found at once, and no byte earlier. */
static void
test_the_end_in_pieces(void **state)
{
	static const char text[] = "Content-Type: a\r\n\r\n\n\nbody";
	size_t seen = 0;

	(void)state;
	for (size_t size = 1; size < 19; size++)
		assert_int_equal(header_find_end(text, size, &seen), 0);
	assert_int_equal(header_find_end(text, 19, &seen), 19);
	seen = 0;
	assert_int_equal(header_find_end(text, sizeof(text) - 1, &seen), 19);
	seen = 0;
	assert_int_equal(header_find_end("\nx", 2, &seen), 1);
}

static void
test_what_is_none(void **state)
{
	static const char *const texts[] = {
		"\n",
		"X-One: 1\n\n",
		"Content-Length: 1\n\n",
		"no colon\nContent-Type: a\n\n",
		": a\nContent-Type: a\n\n",
		"Content Type: a\n\n",
		"Content-Type : a\n\n",
		"Content-Type: a\n folded\n\n",
		"Status: 99\n\n",
		"Status: 101\n\n",
		"Status: 600\n\n",
		"Status: 2000\n\n",
		"Status: x\n\n",
		"Status:\n\n",
		"Status: 200\nstatus: 200\n\n",
		"Content-Type: a\nContent-Type: a\n\n",
		"Location: a\nLocation: b\n\n",
		"Content-Type: a\nContent-Length: 1\nContent-Length: 1\n\n",
		"Content-Type: a\nContent-Length:\n\n",
		"Content-Type: a\nContent-Length: -1\n\n",
		"Content-Type: a\nContent-Length: +1\n\n",
		"Content-Type: a\nContent-Length: 1x\n\n",
		"Content-Type: a\nContent-Length: 18446744073709551616\n\n",
		"Content-Type: a\nContent-Length: 99999999999999999999\n\n",
	};
	struct header header;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse(texts[i], strlen(texts[i]), &header) == NULL)
			fail_msg("taken: %s", texts[i]);
	assert_non_null(parse("Content-Type: a\0b\n\n", 19, &header));
}

static void
test_fields_are_bounded(void **state)
{
	struct header header;
	char text[2048] = "Content-Type: a\n";

	(void)state;
	for (int i = 0; i < HEADER_FIELDS_MAX - 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "X-%d: x\n", i);
	strcat(text, "\n");
	assert_null(parse(text, strlen(text), &header));
	assert_int_equal(header.count, HEADER_FIELDS_MAX);
	strcpy(text + strlen(text) - 1, "X-More: x\n\n");
	assert_non_null(parse(text, strlen(text), &header));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_a_location_alone_redirects),
		cmocka_unit_test(test_the_end_in_pieces),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_fields_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
