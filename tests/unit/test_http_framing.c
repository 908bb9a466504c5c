/* Where a body ends: Content-Length, Transfer-Encoding, Expect, and the ways to smuggle. */
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

#define POST(headers)	 "POST / HTTP/1.1\r\nHost: a\r\n" headers "\r\n"
#define POST_10(headers) "POST / HTTP/1.0\r\n" headers "\r\n"
#define LENGTH(value)	 POST("Content-Length:" value "\r\n")
#define CODING(value)	 POST("Transfer-Encoding:" value "\r\n")

static void
test_lengths_are_refused(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "Content-Length", LENGTH("")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" ")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" +5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" -5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" -0")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 0x5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5 junk")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5junk")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5 5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5\t5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5,5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5, 5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5,")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" ,5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5;a")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5.0")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 5e1")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 1_0")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" a")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" A5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" \"5\"")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" \xb2")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" \xd9\xa5")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 10000000000000000000")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 00000000000000000005")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 18446744073709551616")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 18446744073709551615")),
		HTTP_REFUSAL(400, "Content-Length", LENGTH(" 99999999999999999999999")),
		HTTP_REFUSAL(400, "Content-Length", POST_10("Content-Length: x\r\n")),
		HTTP_REFUSAL(400, "control byte", LENGTH(" 5\0")),
		HTTP_REFUSAL(400, "control byte", LENGTH(" 5\v")),
		HTTP_REFUSAL(400, "header name", POST("Content-Length : 5\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Content-Length\t: 5\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Content-Length\xa0: 5\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Content Length: 5\r\n")),
		HTTP_REFUSAL(400, "header without colon", POST("Content-Length\r\n")),
		HTTP_REFUSAL(400, "header without colon", POST("Content-Length 5\r\n")),
		HTTP_REFUSAL(400, "folded header", POST(" Content-Length: 5\r\n")),
		HTTP_REFUSAL(400, "folded header", POST("Content-Length:\r\n 5\r\n")),
		HTTP_REFUSAL(400, "folded header", LENGTH(" 5\r\n 6")),
		HTTP_REFUSAL(400, "bare CR", LENGTH(" 5\r6")),
		HTTP_REFUSAL(400, "bare LF", LENGTH(" 5\nX: y")),
		HTTP_REFUSAL(400, "more than one Content-Length",
			     LENGTH(" 5\r\nContent-Length: 5")),
		HTTP_REFUSAL(400, "more than one Content-Length",
			     LENGTH(" 5\r\nContent-Length: 6")),
		HTTP_REFUSAL(400, "more than one Content-Length",
			     LENGTH(" 0\r\ncontent-length: 6")),
		HTTP_REFUSAL(400, "more than one Content-Length", LENGTH(" 5\r\nContent-Length:")),
		HTTP_REFUSAL(400, "more than one Content-Length",
			     LENGTH(" 5\r\nX: y\r\nCONTENT-LENGTH: 5")),
		HTTP_REFUSAL(400, "more than one Content-Length",
			     POST_10("Content-Length: 5\r\nContent-Length: 5\r\n")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_codings_are_refused(void **state)
{
	static const char both[] = "Content-Length with Transfer-Encoding";
	static const char twice[] = "more than one Transfer-Encoding";
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING("")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" ")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" xchunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunkedx")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunke")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" cow")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" identity")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" gzip")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" gzip, chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked, gzip")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked, chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked,chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked, identity")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" identity, chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked,")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" ,chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked;a=b")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked ;")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" \"chunked\"")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" 'chunked'")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunk ed")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked junk")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" : chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding", CODING(" chunked\xa0")),
		HTTP_REFUSAL(501, "Transfer-Encoding",
			     CODING(" \xff"
				    "chunked")),
		HTTP_REFUSAL(400, "control byte", CODING(" chunked\0")),
		HTTP_REFUSAL(400, "control byte", CODING(" \0chunked")),
		HTTP_REFUSAL(400, "control byte", CODING(" \vchunked")),
		HTTP_REFUSAL(400, "control byte", CODING("\fchunked")),
		HTTP_REFUSAL(400, "bare CR", CODING(" chunked\r ")),
		HTTP_REFUSAL(400, "bare LF", CODING("\n chunked")),
		HTTP_REFUSAL(400, "folded header", CODING("\r\n chunked")),
		HTTP_REFUSAL(400, "folded header", CODING(" chunked\r\n , identity")),
		HTTP_REFUSAL(400, "folded header", POST(" Transfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, "folded header", POST("X: y\r\n Transfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Transfer-Encoding : chunked\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Transfer-Encoding\t: chunked\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Transfer Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, "header name", POST("\"Transfer-Encoding\": chunked\r\n")),
		HTTP_REFUSAL(400, "bare LF", POST("X: y\nTransfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, "bare CR", POST("X: y\rTransfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(501, twice, CODING(" chunked\r\nTransfer-Encoding: chunked")),
		HTTP_REFUSAL(501, twice, CODING(" chunked\r\nTransfer-Encoding: identity")),
		HTTP_REFUSAL(501, twice, CODING(" gzip\r\ntransfer-encoding: chunked")),
		HTTP_REFUSAL(501, twice, CODING("\r\nTransfer-Encoding: chunked")),
		HTTP_REFUSAL(501, "Transfer-Encoding in HTTP/1.0",
			     POST_10("Transfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(501, "Transfer-Encoding in HTTP/1.0",
			     POST_10("Transfer-Encoding: identity\r\n")),
		HTTP_REFUSAL(400, both,
			     POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, both,
			     POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
		HTTP_REFUSAL(400, both,
			     POST("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, both, POST("Content-Length:\r\nTransfer-Encoding: chunked\r\n")),
		HTTP_REFUSAL(400, both, POST("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n")),
		HTTP_REFUSAL(400, both, POST("Content-Length: 5\r\nTransfer-Encoding:\r\n")),
		HTTP_REFUSAL(400, both,
			     POST_10("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_bodies_are_accepted(void **state)
{
	static const struct http_acceptance cases[] = {
		{ POST(""), "POST / @a 1.1 body=none keep" },
		{ LENGTH(" 0"), "POST / @a 1.1 body=0 keep" },
		{ LENGTH("5"), "POST / @a 1.1 body=5 keep" },
		{ LENGTH(" \t5\t "), "POST / @a 1.1 body=5 keep" },
		{ LENGTH(" 0000000000000000005"), "POST / @a 1.1 body=5 keep" },
		{ LENGTH(" 4294967296"), "POST / @a 1.1 body=4294967296 keep" },
		{ LENGTH(" 9223372036854775807"), "POST / @a 1.1 body=9223372036854775807 keep" },
		{ LENGTH(" 9223372036854775808"), "POST / @a 1.1 body=9223372036854775808 keep" },
		{ LENGTH(" 9999999999999999999"), "POST / @a 1.1 body=9999999999999999999 keep" },
		{ POST("content-LENGTH: 7\r\n"), "POST / @a 1.1 body=7 keep" },
		{ POST("Content-Length2: 7\r\n"), "POST / @a 1.1 body=none keep" },
		{ POST("X-Content-Length: 7\r\n"), "POST / @a 1.1 body=none keep" },
		{ POST("Content_Length: 7\r\n"), "POST / @a 1.1 body=none keep" },
		{ POST_10("Content-Length: 7\r\n"), "POST / @ 1.0 body=7 close" },
		{ CODING(" chunked"), "POST / @a 1.1 body=chunked keep" },
		{ CODING("chunked"), "POST / @a 1.1 body=chunked keep" },
		{ CODING(" \tchunked\t "), "POST / @a 1.1 body=chunked keep" },
		/* RFC 9112 7: names of codings are case-insensitive. */
		{ CODING(" Chunked"), "POST / @a 1.1 body=chunked keep" },
		{ POST("TRANSFER-encoding: CHUNKED\r\n"), "POST / @a 1.1 body=chunked keep" },
		{ POST("Transfer_Encoding: chunked\r\n"), "POST / @a 1.1 body=none keep" },
		{ POST("Transfer-Encodin: chunked\r\n"), "POST / @a 1.1 body=none keep" },
		{ POST("TE: chunked\r\n"), "POST / @a 1.1 body=none keep" },
	};

	(void)state;
	http_try_acceptances(cases, COUNT(cases));
}

/* A body hidden behind a method that usually has none is still a body. */
static void
test_method_has_no_say_in_framing(void **state)
{
	static const char *const methods[] = { "GET",	"HEAD",	 "POST",    "PUT",   "DELETE",
					       "TRACE", "PATCH", "OPTIONS", "FANCY", "get" };
	char expected[128];
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++) {
		struct http_acceptance one = { text, expected };

		snprintf(text, sizeof(text),
			 "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", methods[i]);
		snprintf(expected, sizeof(expected), "%s / @a 1.1 body=3 keep", methods[i]);
		http_try_acceptances(&one, 1);
		snprintf(text, sizeof(text),
			 "%s / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
			 methods[i]);
		snprintf(expected, sizeof(expected), "%s / @a 1.1 body=chunked keep", methods[i]);
		http_try_acceptances(&one, 1);
	}
}

static void
test_expectations(void **state)
{
	static const struct http_refusal refusals[] = {
		HTTP_REFUSAL(417, "Expect", POST("Expect:\r\n")),
		HTTP_REFUSAL(417, "Expect", POST("Expect: 100\r\n")),
		HTTP_REFUSAL(417, "Expect", POST("Expect: 200-ok\r\n")),
		HTTP_REFUSAL(417, "Expect", POST("Expect: 100-continue, x\r\n")),
		HTTP_REFUSAL(417, "Expect", POST("Expect: 100-continue,\r\n")),
		HTTP_REFUSAL(417, "Expect", POST("Expect: 100-continue;q=1\r\n")),
		HTTP_REFUSAL(417, "Expect", POST("Expect: x100-continue\r\n")),
		HTTP_REFUSAL(417, "Expect", POST_10("Expect: x\r\n")),
		HTTP_REFUSAL(417, "more than one Expect",
			     POST("Expect: 100-continue\r\nExpect: 100-continue\r\n")),
		HTTP_REFUSAL(417, "more than one Expect",
			     POST("Expect: 100-continue\r\nexpect: x\r\n")),
		HTTP_REFUSAL(400, "header name", POST("Expect : 100-continue\r\n")),
	};
	static const struct http_acceptance acceptances[] = {
		{ POST("Expect: 100-continue\r\nContent-Length: 1\r\n"),
		  "POST / @a 1.1 body=1 keep expect" },
		{ POST("Content-Length: 1\r\nexpect:100-Continue\r\n"),
		  "POST / @a 1.1 body=1 keep expect" },
		{ POST("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"),
		  "POST / @a 1.1 body=chunked keep expect" },
		{ POST("Expect: 100-continue\r\n"), "POST / @a 1.1 body=none keep" },
		{ POST("Expect: 100-continue\r\nContent-Length: 0\r\n"),
		  "POST / @a 1.1 body=0 keep" },
		{ POST_10("Expect: 100-continue\r\nContent-Length: 1\r\n"),
		  "POST / @ 1.0 body=1 close" },
	};

	(void)state;
	http_try_refusals(refusals, COUNT(refusals));
	http_try_acceptances(acceptances, COUNT(acceptances));
}

/* One byte too many, at each place of a header that frames: never a plain body of 5. */
static void
test_every_byte_around_content_length(void **state)
{
	struct http_parser parser;
	char text[96];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool blank = byte == ' ' || byte == '\t';
		bool digit = byte >= '0' && byte <= '9';
		int length = snprintf(text, sizeof(text), LENGTH(" 5%c"), byte);

		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE, blank || digit);
		length = snprintf(text, sizeof(text), LENGTH("%c5"), byte);
		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE, blank || digit);
		length = snprintf(text, sizeof(text), POST("Content-Length%c: 5\r\n"), byte);
		http_try(text, (size_t)length, &parser);
		assert_true(parser.result == HTTP_BAD || parser.request.body == HTTP_BODY_NONE ||
			    byte == ':');
		/* "Content-Length:: 5" has the value ": 5". */
		assert_true(byte != ':' || parser.result == HTTP_BAD);
		length = snprintf(text, sizeof(text), CODING(" chunked%c"), byte);
		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE, blank);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_are_refused),
		cmocka_unit_test(test_codings_are_refused),
		cmocka_unit_test(test_bodies_are_accepted),
		cmocka_unit_test(test_method_has_no_say_in_framing),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_every_byte_around_content_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
