/* Header lines, Host, and which headers end at the connection. */
/* LINK: tests/unit/http_try.c daemon/front/http_request.c daemon/front/http_framing.c */
/* LINK: daemon/front/http_header.c daemon/front/http_target.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_try.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define HEAD(headers) "GET / HTTP/1.1\r\nHost: a\r\n" headers "\r\n"
#define HOST(value)   "GET / HTTP/1.1\r\nHost:" value "\r\n\r\n"

static void
test_header_lines_are_refused(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "header without colon", HEAD("A\r\n")),
		HTTP_REFUSAL(400, "header without colon", HEAD("A b\r\n")),
		HTTP_REFUSAL(400, "header without colon", HEAD("A=b\r\n")),
		HTTP_REFUSAL(400, "header without colon", HEAD("GET / HTTP/1.1\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD(": b\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD(":\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A : b\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A\t: b\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A b: c\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A\xa0: b\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("\xc3\x84: b\r\n")),
		HTTP_REFUSAL(400, "header name",
			     HEAD("\xef\xbb\xbf"
				  "A: b\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A(b): c\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("\"A\": b\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A/b: c\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A,b: c\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A;b: c\r\n")),
		HTTP_REFUSAL(400, "header name", HEAD("A=b: c\r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD(" A: b\r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD("\tA: b\r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD("A: b\r\n c\r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD("A: b\r\n\tc\r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD("A:\r\n b\r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD("A: b\r\n \r\n")),
		HTTP_REFUSAL(400, "folded header", HEAD(" \r\n")),
		HTTP_REFUSAL(400, "folded header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
		HTTP_REFUSAL(400, "folded header", "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", HEAD("A: b\0c\r\n")),
		HTTP_REFUSAL(400, "control byte", HEAD("A: \x1b[0m\r\n")),
		HTTP_REFUSAL(400, "control byte", HEAD("A: \x7f\r\n")),
		HTTP_REFUSAL(400, "control byte", HEAD("A\0: b\r\n")),
		HTTP_REFUSAL(400, "bare CR", HEAD("A: b\rC: d\r\n")),
		HTTP_REFUSAL(400, "bare CR", HEAD("A: b\r\r\n")),
		HTTP_REFUSAL(400, "bare LF", HEAD("A: b\nC: d\r\n")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_hosts_are_refused(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "no Host", "GET / HTTP/1.1\r\n\r\n"),
		HTTP_REFUSAL(400, "no Host", "GET / HTTP/1.1\r\nHosts: a\r\n\r\n"),
		HTTP_REFUSAL(400, "no Host", "GET / HTTP/1.1\r\nX-Host: a\r\n\r\n"),
		HTTP_REFUSAL(400, "no Host", "OPTIONS * HTTP/1.1\r\n\r\n"),
		HTTP_REFUSAL(400, "more than one Host", HEAD("Host: a\r\n")),
		HTTP_REFUSAL(400, "more than one Host", HEAD("hOST: b\r\n")),
		HTTP_REFUSAL(400, "more than one Host", HEAD("Host:\r\n")),
		HTTP_REFUSAL(400, "more than one Host",
			     "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "invalid Host", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
		HTTP_REFUSAL(400, "invalid Host", "GET / HTTP/1.0\r\nHost:\r\n\r\n"),
		HTTP_REFUSAL(400, "invalid Host", HOST("")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" ")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a, b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a,b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a/b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a?b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a#b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a@b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a\\b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a%20b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a;b")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" \"a\"")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" <a>")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" *")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" b\xc3\xbc.de")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" http://a")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" //a")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" :80")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" :")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:0")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:65536")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:000080")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:4294967376")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:80:80")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:+80")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:-1")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a: 80")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a :80")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:0x50")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" a:http")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" ::1")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" []")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" ::1]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1]x")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1]:")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1]:x")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1]80")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1%25eth0]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [:::1]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [1::2::3]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [127.0.0.1]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [v1.a]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [a]")),
		HTTP_REFUSAL(400, "invalid Host", HOST(" [::1 ]")),
		HTTP_REFUSAL(400, "invalid Host",
			     HOST(" [0000000000000000000000000000000000000000000000001::]")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_hosts_are_accepted(void **state)
{
	static const struct http_acceptance cases[] = {
		{ HOST("a"), "GET / @a 1.1 body=none keep" },
		{ HOST(" \t a \t "), "GET / @a 1.1 body=none keep" },
		{ HOST(" a.example.org:8080"), "GET / @a.example.org:8080 1.1 body=none keep" },
		{ HOST(" a:1"), "GET / @a:1 1.1 body=none keep" },
		{ HOST(" a:65535"), "GET / @a:65535 1.1 body=none keep" },
		{ HOST(" a:00080"), "GET / @a:00080 1.1 body=none keep" },
		{ HOST(" A-b_c.~9."), "GET / @A-b_c.~9. 1.1 body=none keep" },
		{ HOST(" 192.0.2.1:80"), "GET / @192.0.2.1:80 1.1 body=none keep" },
		{ HOST(" [::]"), "GET / @[::] 1.1 body=none keep" },
		{ HOST(" [::1]:80"), "GET / @[::1]:80 1.1 body=none keep" },
		{ HOST(" [2001:DB8::a]"), "GET / @[2001:DB8::a] 1.1 body=none keep" },
		{ HOST(" [::ffff:192.0.2.1]"), "GET / @[::ffff:192.0.2.1] 1.1 body=none keep" },
		{ "GET / HTTP/1.0\r\nHost: b\r\n\r\n", "GET / @b 1.0 body=none close" },
		{ "GET / HTTP/1.1\r\nhOsT: b\r\n\r\n", "GET / @b 1.1 body=none keep" },
		{ "GET / HTTP/1.1\r\nA: b\r\nHOST: c\r\n\r\n", "GET / @c 1.1 body=none keep" },
	};

	(void)state;
	http_try_acceptances(cases, COUNT(cases));
}

static void
test_values_are_trimmed(void **state)
{
	static const struct http_acceptance cases[] = {
		{ HEAD("A: b\r\n"), "+Host:a A:b" },
		{ HEAD("A:b\r\n"), "+Host:a A:b" },
		{ HEAD("A:\r\n"), "+Host:a A:" },
		{ HEAD("A: \r\n"), "+Host:a A:" },
		{ HEAD("A: \t \t\r\n"), "+Host:a A:" },
		{ HEAD("A: \t b c\td \t\r\n"), "+Host:a A:b c\td" },
		{ HEAD("A: : b:c\r\n"), "+Host:a A:: b:c" },
		{ HEAD("A::\r\n"), "+Host:a A::" },
		{ HEAD("A: b\xc3\xa4\xff\x80\r\n"), "+Host:a A:b\xc3\xa4\xff\x80" },
		{ HEAD("a_b-c.d~!#$%&'*+^`|9: x\r\n"), "+Host:a a_b-c.d~!#$%&'*+^`|9:x" },
		{ HEAD("A: 1\r\nA: 2\r\na: 3\r\n"), "+Host:a A:1 A:2 a:3" },
		{ "GET / HTTP/1.0\r\n\r\n", "" },
	};

	(void)state;
	http_try_headers(cases, COUNT(cases));
}

static void
test_headers_that_end_at_the_connection(void **state)
{
	static const struct http_acceptance cases[] = {
		{ HEAD("Connection: close\r\n"), "+Host:a -Connection:close" },
		{ HEAD("KEEP-ALIVE: 5\r\n"), "+Host:a -KEEP-ALIVE:5" },
		{ HEAD("TE: trailers\r\n"), "+Host:a -TE:trailers" },
		{ HEAD("Trailer: x\r\n"), "+Host:a -Trailer:x" },
		{ HEAD("Transfer-Encoding: chunked\r\n"), "+Host:a -Transfer-Encoding:chunked" },
		{ HEAD("Upgrade: h2c\r\n"), "+Host:a -Upgrade:h2c" },
		{ HEAD("Proxy-Authorization: x\r\n"), "+Host:a -Proxy-Authorization:x" },
		{ HEAD("proxy-connection: close\r\n"), "+Host:a -proxy-connection:close" },
		{ HEAD("Proxy-: x\r\nProxy: y\r\n"), "+Host:a -Proxy-:x Proxy:y" },
		{ HEAD("Content-Length: 0\r\n"), "+Host:a +Content-Length:0" },
		{ HEAD("Expect: 100-continue\r\n"), "+Host:a +Expect:100-continue" },
		{ HEAD("Te2: x\r\nT: y\r\nTrailers: z\r\n"), "+Host:a Te2:x T:y Trailers:z" },
		{ HEAD("X: 1\r\nConnection: x\r\nx: 2\r\nXy: 3\r\n"),
		  "+Host:a -X:1 -Connection:x -x:2 Xy:3" },
		{ HEAD("Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: q\r\n"),
		  "+Host:a -Connection:Upgrade, HTTP2-Settings -HTTP2-Settings:q" },
		{ HEAD("Connection: a\r\nConnection: ,b ,\tc,,\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: "
		       "4\r\n"),
		  "+Host:a -Connection:a -Connection:,b ,\tc,, -A:1 -B:2 -C:3 D:4" },
		{ HEAD("Connection: cookie\r\nCookie: x\r\n"),
		  "+Host:a -Connection:cookie -Cookie:x" },
		{ HEAD("Connection: close\r\nClose: x\r\n"), "+Host:a -Connection:close -Close:x" },
	};

	(void)state;
	http_try_headers(cases, COUNT(cases));
}

static void
test_keep_alive(void **state)
{
	static const char keep[] = "GET / @a 1.1 body=none keep";
	static const char closed[] = "GET / @a 1.1 body=none close";
	static const struct http_acceptance cases[] = {
		{ HEAD(""), keep },
		{ HEAD("Connection:\r\n"), keep },
		{ HEAD("Connection: ,\r\n"), keep },
		{ HEAD("Connection: keep-alive\r\n"), keep },
		{ HEAD("Connection: foo\r\n"), keep },
		{ HEAD("Connection: closed\r\n"), keep },
		{ HEAD("Connection: clos\r\n"), keep },
		{ HEAD("X-Connection: close\r\n"), keep },
		{ HEAD("Proxy-Connection: close\r\n"), keep },
		{ HEAD("Connection: close\r\n"), closed },
		{ HEAD("Connection: CLOSE\r\n"), closed },
		{ HEAD("connection:close\r\n"), closed },
		{ HEAD("Connection: foo, close\r\n"), closed },
		{ HEAD("Connection: close , foo\r\n"), closed },
		{ HEAD("Connection: keep-alive, close\r\n"), closed },
		{ HEAD("Connection: close, keep-alive\r\n"), closed },
		{ HEAD("Connection: close\r\nConnection: keep-alive\r\n"), closed },
		{ HEAD("Connection: keep-alive\r\nConnection: close\r\n"), closed },
		{ "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / @a 1.0 body=none close" },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		  "GET / @ 1.0 body=none keep" },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
		  "GET / @ 1.0 body=none keep" },
		{ "GET / HTTP/1.0\r\nConnection: close\r\n\r\n", "GET / @ 1.0 body=none close" },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
		  "GET / @ 1.0 body=none close" },
		{ "GET / HTTP/1.0\r\nKeep-Alive: 5\r\n\r\n", "GET / @ 1.0 body=none close" },
	};

	(void)state;
	http_try_acceptances(cases, COUNT(cases));
}

static void
test_connection_options_are_refused(void **state)
{
	static const char framing[] = "Connection names a framing header";
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "Connection option", HEAD("Connection: a b\r\n")),
		HTTP_REFUSAL(400, "Connection option", HEAD("Connection: close;x\r\n")),
		HTTP_REFUSAL(400, "Connection option", HEAD("Connection: \"close\"\r\n")),
		HTTP_REFUSAL(400, "Connection option", HEAD("Connection: close, a=b\r\n")),
		HTTP_REFUSAL(400, "Connection option", HEAD("Connection: cl\xf6se\r\n")),
		HTTP_REFUSAL(400, framing, HEAD("Connection: host\r\n")),
		HTTP_REFUSAL(400, framing, HEAD("Connection: close, Host\r\n")),
		HTTP_REFUSAL(400, framing, HEAD("Connection: Content-Length\r\n")),
		HTTP_REFUSAL(400, framing,
			     HEAD("Content-Length: 3\r\nConnection: content-length\r\n")),
		HTTP_REFUSAL(
			400, framing,
			HEAD("Transfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n")),
		HTTP_REFUSAL(400, framing, HEAD("Connection: expect\r\n")),
		HTTP_REFUSAL(400, framing, HEAD("Connection: a\r\nConnection: b, HOST\r\n")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

/* Every byte in the middle of a name, of a value and of a host. */
static void
test_every_byte_in_headers(void **state)
{
	static const char alpha[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct http_parser parser;
	char text[64];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool letter = byte != 0 && strchr(alpha, byte) != NULL;
		int length = snprintf(text, sizeof(text), HEAD("A%cB: c\r\n"), byte);

		http_try(text, (size_t)length, &parser);
		/* A colon ends the name early, which is fine. */
		assert_int_equal(parser.result == HTTP_DONE,
				 letter || (byte != 0 && strchr("!#$%&'*+-.^_`|~:", byte) != NULL));

		length = snprintf(text, sizeof(text), HEAD("A: b%cc\r\n"), byte);
		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE,
				 byte == '\t' || (byte >= 0x20 && byte != 0x7f));
		assert_int_equal(parser.status, parser.result == HTTP_DONE ? 0 : 400);

		length = snprintf(text, sizeof(text), HOST(" a%cb"), byte);
		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE,
				 letter || (byte != 0 && strchr("-._~", byte) != NULL));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_lines_are_refused),
		cmocka_unit_test(test_hosts_are_refused),
		cmocka_unit_test(test_hosts_are_accepted),
		cmocka_unit_test(test_values_are_trimmed),
		cmocka_unit_test(test_headers_that_end_at_the_connection),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_connection_options_are_refused),
		cmocka_unit_test(test_every_byte_in_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
