/*
 * Lines of the access log, and what clients may put into them.
 *
 * LINK: daemon/front/access_line.c daemon/front/text_line.c daemon/base/proto.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/access_line.h"

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

/* 2026-02-03 04:05:06.000789 UTC */
#define BEGUN_US (UINT64_C(1770091506) * 1000000 + 789)

static struct access_request request;
static struct access_result result;
static char data[ACCESS_LINE_MAX];

static int
reset(void **state)
{
	(void)state;
	request = (struct access_request){
		.begun_us = BEGUN_US,
		.id = "id-1",
		.peer = "192.0.2.7",
		.listener = "web",
		.method = TEXT("GET"),
		.target = TEXT("/a?b"),
		.referer = TEXT("http://r/"),
		.agent = TEXT("curl"),
		.protocol = "HTTP/1.1",
	};
	result = (struct access_result){
		.outcome = OUTCOME_OK,
		.status = 200,
		.pool = "oui",
		.generation = 2,
		.queue_us = 1,
		.run_us = 3,
		.total_us = 4,
		.bytes_in = 5,
		.bytes_out = 6,
	};
	return 0;
}

static const char *
format(enum access_format kind, uint64_t faults)
{
	const struct access_child child = { 17, 2, faults };
	const struct access_child none = { 0, 0, faults };
	struct text_line line;

	text_line_begin(&line, data, sizeof(data) - 1);
	access_line_put_request(&line, kind, &request);
	access_line_put_result(&line, kind, &result);
	access_line_put_client(&line, kind, &request);
	access_line_end(&line, kind, result.generation != 0 ? &child : &none);
	assert_false(line.cut);
	data[line.length] = '\0';
	return data;
}

static void
combined_is_what_web_servers_write(void **state)
{
	(void)state;
	assert_string_equal(
		format(ACCESS_COMBINED, 9),
		"192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] \"GET /a?b HTTP/1.1\" 200 6 "
		"\"http://r/\" \"curl\"\n");
}

static void
combined_has_dashes_for_what_is_not_there(void **state)
{
	(void)state;
	request.method.length = request.referer.length = request.agent.length = 0;
	result.status = 0;
	assert_string_equal(format(ACCESS_COMBINED, 9),
			    "192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] \"-\" - 6 \"-\" \"-\"\n");
}

static void
json_tells_all(void **state)
{
	(void)state;
	assert_string_equal(
		format(ACCESS_JSON, 9),
		"{\"time\":\"2026-02-03T04:05:06.000789Z\",\"request\":\"id-1\",\"peer\":\"192.0.2."
		"7\",\"listener\":\"web\",\"method\":\"GET\",\"target\":\"/"
		"a?b\",\"protocol\":\"HTTP/1.1\",\"referer\":\"http://r/"
		"\",\"agent\":\"curl\",\"outcome\":\"ok\",\"status\":200,\"pool\":\"oui\","
		"\"generation\":2,\"run_us\":3,\"queue_us\":1,\"total_"
		"us\":4,\"bytes_in\":5,\"bytes_out\":6,\"child\":17,\"fork_us\":2,\"minor_faults\":"
		"9}\n");
}

static void
json_leaves_out_what_is_not_known(void **state)
{
	(void)state;
	request.method.length = 0;
	result = (struct access_result){ .outcome = OUTCOME_BAD_REQUEST, .reason = "host" };
	assert_string_equal(
		format(ACCESS_JSON, ACCESS_FAULTS_UNKNOWN),
		"{\"time\":\"2026-02-03T04:05:06.000789Z\",\"request\":\"id-1\","
		"\"peer\":\"192.0.2.7\",\"listener\":\"web\",\"outcome\":\"bad_request\","
		"\"reason\":\"host\",\"queue_us\":0,\"total_us\":0,\"bytes_in\":0,\"bytes_"
		"out\":0}\n");
}

static void
clients_bytes_are_escaped(void **state)
{
	(void)state;
	request.agent = (struct access_text)TEXT("a\"b\\c\n\x1b\xe9\x7f\0d");
	assert_non_null(
		strstr(format(ACCESS_COMBINED, 0), "\"a\\\"b\\\\c\\x0a\\x1b\\xe9\\x7f\\x00d\"\n"));
	assert_non_null(strstr(format(ACCESS_JSON, 0),
			       "\"agent\":\"a\\\"b\\\\c\\u000a\\u001b\\u00e9\\u007f\\u0000d\""));
}

/* The largest that a head can hold, all of it to be escaped: nothing but the client's text is cut. */
static void
the_longest_line_fits(void **state)
{
	static char bad[32768];

	(void)state;
	memset(bad, 0xff, sizeof(bad));
	request.method = request.target = request.referer = request.agent =
		(struct access_text){ bad, sizeof(bad) };
	assert_true(strlen(format(ACCESS_JSON, UINT64_MAX - 1)) > 6 * ACCESS_TARGET_SHOWN);
	assert_true(strlen(format(ACCESS_COMBINED, 0)) > 4 * ACCESS_TARGET_SHOWN);
}

static void
a_line_that_does_not_fit_says_so(void **state)
{
	struct text_line line;
	char small[4];

	(void)state;
	text_line_begin(&line, small, sizeof(small));
	text_line_put_string(&line, "abcd");
	assert_false(line.cut);
	text_line_put_string(&line, "e");
	assert_true(line.cut);
	assert_int_equal(line.length, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(combined_is_what_web_servers_write, reset),
		cmocka_unit_test_setup(combined_has_dashes_for_what_is_not_there, reset),
		cmocka_unit_test_setup(json_tells_all, reset),
		cmocka_unit_test_setup(json_leaves_out_what_is_not_known, reset),
		cmocka_unit_test_setup(clients_bytes_are_escaped, reset),
		cmocka_unit_test_setup(the_longest_line_fits, reset),
		cmocka_unit_test(a_line_that_does_not_fit_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
