/*
 * PROXY protocol headers: what is understood, and what is refused, however it is cut in pieces.
 *
 * LINK: daemon/front/proxy_header.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define SIGNATURE    "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(text)  text, sizeof(text) - 1

struct example {
	const char *data;
	size_t length;
	const char *expected; /* "address port", "-" for no client, or why it is refused */
};

static const struct example good[] = {
	{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 4711 80\r\n"), "192.0.2.1 4711" },
	{ BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	  "255.255.255.255 65535" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 0 0\r\n"), "1.2.3.4 0" },
	{ BYTES("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "2001:db8::1 1" },
	{ BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "192.0.2.1 1" },
	{ BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535" },
	{ BYTES("PROXY UNKNOWN\r\n"), "-" },
	{ BYTES("PROXY UNKNOWN whatever  it says\r\n"), "-" },
	{ BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x12\x67\0\x50"),
	  "192.0.2.1 4711" },
	{ BYTES(SIGNATURE "\x21\x11\0\x10\xc0\0\2\1\xc6\x33\x64\2\x12\x67\0\x50\4\0\1x"),
	  "192.0.2.1 4711" },
	{ BYTES(SIGNATURE "\x21\x21\0\x24"
			  "\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
			  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
			  "\0\1\0\2"),
	  "2001:db8::1 1" },
	{ BYTES(SIGNATURE "\x21\x21\0\x24"
			  "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
			  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
			  "\0\1\0\2"),
	  "192.0.2.1 1" },
	{ BYTES(SIGNATURE "\x20\0\0\0"), "-" },
	{ BYTES(SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x12\x67\0\x50"), "-" },
	{ BYTES(SIGNATURE "\x20\xff\0\2xx"), "-" },
	{ BYTES(SIGNATURE "\x21\0\0\0"), "-" },
	{ BYTES(SIGNATURE "\x21\0\0\3abc"), "-" },
};

static const struct example refused[] = {
	{ BYTES("GET / HTTP/1.1\r\n"), "no PROXY header" },
	{ BYTES("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), "no PROXY header" },
	{ BYTES("PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n"), "no PROXY header" },
	{ BYTES("\r\n\r\n\0\r\nQUIX\n"), "no PROXY header" },
	{ BYTES("\x16\3\1\2"), "no PROXY header" },
	{ BYTES("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), "family" },
	{ BYTES("PROXY \r\n"), "family" },
	{ BYTES("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), "family" },
	{ BYTES("PROXY UNKNOWNX\r\n"), "family" },
	{ BYTES("PROXY TCP4\r\n"), "number of words" },
	{ BYTES("PROXY TCP4 1.2.3.4\r\n"), "number of words" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), "port" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), "number of words" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), "number of words" },
	{ BYTES("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"), "number of words" },
	{ BYTES("PROXY TCP4 ::1 ::1 1 2\r\n"), "address" },
	{ BYTES("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"), "address" },
	{ BYTES("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"), "address" },
	{ BYTES("PROXY TCP4 1.2.3.4 x 1 2\r\n"), "address" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"), "port" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 99999999999999999999\r\n"), "port" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), "port" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"), "port" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX"), "line end" },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n"), "byte in line" },
	{ BYTES("PROXY TCP4 1.2.3.4\0001.2.3.4 1 2\r\n"), "byte in line" },
	{ BYTES(SIGNATURE "\x11\x11\0\x0c"
			  "aaaabbbbccdd"),
	  "version or command" },
	{ BYTES(SIGNATURE "\x22\x11\0\x0c"
			  "aaaabbbbccdd"),
	  "version or command" },
	{ BYTES(SIGNATURE "\x21\x12\0\x0c"
			  "aaaabbbbccdd"),
	  "family" },
	{ BYTES(SIGNATURE "\x21\x41\0\0"), "family" },
	{ BYTES(SIGNATURE "\x21\x11\0\x0b"
			  "aaaabbbbccd"),
	  "addresses too short" },
	{ BYTES(SIGNATURE "\x21\x21\0\x0c"
			  "aaaabbbbccdd"),
	  "addresses too short" },
	{ BYTES(SIGNATURE "\x21\x31\0\x0c"
			  "aaaabbbbccdd"),
	  "addresses too short" },
	{ BYTES(SIGNATURE "\x21\x11\xff\xff"), "too long" },
};

static void
describe(enum proxy_result result, const struct proxy_header *header, char *out, size_t size)
{
	const struct sockaddr_in *v4 = (const void *)&header->source;
	const struct sockaddr_in6 *v6 = (const void *)&header->source;
	const bool is_v6 = header->source.ss_family == AF_INET6;
	char address[INET6_ADDRSTRLEN];

	if (result != PROXY_DONE) {
		snprintf(out, size, "%s", result == PROXY_BAD ? header->reason : "more");
	} else if (!header->is_known) {
		snprintf(out, size, "-");
	} else {
		assert_non_null(inet_ntop(header->source.ss_family,
					  is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr,
					  address, sizeof(address)));
		snprintf(out, size, "%s %u", address, ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
	}
}

/* In a block of its own size, so that a sanitizer sees a byte too many being read. */
static enum proxy_result
parse(const char *data, size_t length, struct proxy_header *header)
{
	unsigned char *copy = malloc(length > 0 ? length : 1);
	enum proxy_result result;

	assert_non_null(copy);
	memcpy(copy, data, length);
	result = proxy_header_parse(copy, length, header);
	free(copy);
	return result;
}

/* All at once, with bytes behind it, and after each shorter piece that is not decided. */
static void
check(const struct example *example, bool is_good)
{
	struct proxy_header header;
	char longer[PROXY_V2_MAX];
	char text[128];
	enum proxy_result result = parse(example->data, example->length, &header);

	describe(result, &header, text, sizeof(text));
	assert_string_equal(text, example->expected);
	for (size_t cut = 0; cut < example->length; cut++) {
		result = parse(example->data, cut, &header);
		if (is_good)
			assert_int_equal(result, PROXY_MORE);
		else
			assert_int_not_equal(result, PROXY_DONE);
	}
	if (!is_good)
		return;
	memcpy(longer, example->data, example->length);
	memcpy(longer + example->length, "\x16\3\1", 3);
	assert_int_equal(parse(longer, example->length + 3, &header), PROXY_DONE);
	assert_int_equal(header.bytes, example->length);
}

static void
takes_what_the_specification_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(&good[i], true);
}

static void
refuses_everything_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		check(&refused[i], false);
}

static void
a_line_has_at_most_107_bytes(void **state)
{
	char line[PROXY_V1_MAX + 2];
	struct proxy_header header;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	memcpy(line + PROXY_V1_MAX - 2, "\r\n", 2);
	assert_int_equal(parse(line, PROXY_V1_MAX, &header), PROXY_DONE);
	memcpy(line + PROXY_V1_MAX - 2, "x\r\n", 3);
	assert_int_equal(parse(line, PROXY_V1_MAX + 1, &header), PROXY_BAD);
	memset(line + PROXY_V1_MAX - 2, 'x', 4);
	assert_int_equal(parse(line, PROXY_V1_MAX - 1, &header), PROXY_MORE);
	assert_int_equal(parse(line, PROXY_V1_MAX, &header), PROXY_BAD);
}

static void
extensions_are_skipped_up_to_the_bound(void **state)
{
	static char data[PROXY_V2_MAX + 1] =
		SIGNATURE "\x21\x11\x07\xf0\xc0\0\2\1\xc6\x33\x64\2\x12\x67";
	struct proxy_header header;

	(void)state;
	assert_int_equal(parse(data, PROXY_V2_MAX - 1, &header), PROXY_MORE);
	assert_int_equal(parse(data, PROXY_V2_MAX, &header), PROXY_DONE);
	assert_int_equal(header.bytes, PROXY_V2_MAX);
	data[15]++;
	assert_int_equal(parse(data, PROXY_V2_MAX, &header), PROXY_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_specification_has),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(a_line_has_at_most_107_bytes),
		cmocka_unit_test(extensions_are_skipped_up_to_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
