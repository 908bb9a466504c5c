/*
 * FRAME_REQUEST as the front writes it.
 * LINK: daemon/base/request_frame.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/request_frame.h"

static const struct frame_request fixed = { .id = 42, .content_length = 7 };

static void
strings_carry_length_and_nul(void **state)
{
	unsigned char data[256];
	struct frame_header header;
	struct frame_request head;
	struct request_frame frame;
	size_t length;

	(void)state;
	request_frame_begin(&frame, data, sizeof(data));
	request_frame_add_field(&frame, "GET", 3);
	request_frame_add_field(&frame, "", 0);
	request_frame_add_header(&frame, "X-Mixed", 7, "Kept As Is", 10);
	length = request_frame_end(&frame, &fixed);
	memcpy(&header, data, sizeof(header));
	memcpy(&head, data + sizeof(header), sizeof(head));
	assert_int_equal(header.type, FRAME_REQUEST);
	assert_int_equal(header.length, length - sizeof(header));
	assert_int_equal(head.id, 42);
	assert_int_equal(head.content_length, 7);
	assert_int_equal(head.fields, 2);
	assert_int_equal(head.headers, 1);
	assert_memory_equal(data + sizeof(header) + sizeof(head),
			    "\3\0GET\0\0\0\0\7\0x-mixed\0\12\0Kept As Is", 6 + 3 + 10 + 13);
}

/* One byte less than needed is a failure, and nothing is written beyond the buffer. */
static void
too_small_a_buffer_fails(void **state)
{
	unsigned char data[256];
	struct request_frame frame;
	size_t needed;

	(void)state;
	request_frame_begin(&frame, data, sizeof(data));
	request_frame_add_field(&frame, "abcdef", 6);
	needed = request_frame_end(&frame, &fixed);
	assert_true(needed > 0);
	for (size_t size = 0; size < needed; size++) {
		memset(data, 0xaa, sizeof(data));
		request_frame_begin(&frame, data, size);
		request_frame_add_field(&frame, "abcdef", 6);
		assert_int_equal(request_frame_end(&frame, &fixed), 0);
		for (size_t i = size; i < sizeof(data); i++)
			assert_int_equal(data[i], 0xaa);
	}
}

static void
a_string_over_the_prefix_fails(void **state)
{
	static unsigned char data[FRAME_HEAD_MAX + 70000];
	static char text[65536];
	struct request_frame frame;

	(void)state;
	request_frame_begin(&frame, data, sizeof(data));
	request_frame_add_field(&frame, text, sizeof(text));
	assert_int_equal(request_frame_end(&frame, &fixed), 0);
}

static void
a_frame_over_the_bound_fails(void **state)
{
	static unsigned char data[FRAME_HEAD_MAX + 70000];
	static char text[FRAME_HEAD_MAX];
	struct request_frame frame;

	(void)state;
	request_frame_begin(&frame, data, sizeof(data));
	request_frame_add_field(&frame, text, sizeof(text));
	assert_int_equal(request_frame_end(&frame, &fixed), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_carry_length_and_nul),
		cmocka_unit_test(too_small_a_buffer_fails),
		cmocka_unit_test(a_string_over_the_prefix_fails),
		cmocka_unit_test(a_frame_over_the_bound_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
