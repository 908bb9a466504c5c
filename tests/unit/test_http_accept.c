/* LINK: daemon/front/http_accept.c daemon/front/http_token.c
 *
 * Which text a scraper wants: real fields of scrapers, qualities, versions, and what is malformed.
 */
#include "front/http_accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *value;
	unsigned openmetrics;
	unsigned text;
} cases[] = {
	/* Prometheus 2.42, curl, a browser */
	{ "application/openmetrics-text;version=1.0.0,"
	  "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/"
	  "*;q=0.1",
	  1000, 500 },
	{ "*/*", 0, 0 },
	{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 0, 0 },
	/* blanks, letters, order */
	{ " Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.25 ,\ttext/plain", 250, 1000 },
	{ "application/openmetrics-text", 1000, 0 },
	{ "application/openmetrics-text; charset=utf-8", 1000, 0 },
	{ "application/openmetrics-text;q=0.2, application/openmetrics-text;q=0.3", 300, 0 },
	/* versions that we do not have */
	{ "application/openmetrics-text;version=0.0.1", 0, 0 },
	{ "application/openmetrics-text;version=2.0.0;q=1", 0, 0 },
	{ "text/plain;version=1.0.0;q=0.5", 0, 0 },
	{ "application/vnd.google.protobuf;encoding=delimited", 0, 0 },
	/* qualities: RFC 9110 section 12.4.2 */
	{ "text/plain;q=0", 0, 0 },
	{ "text/plain;q=1.000", 0, 1000 },
	{ "text/plain;q=0.007", 0, 7 },
	{ "text/plain;q=0.", 0, 0 },
	{ "text/plain;q=1.001", 0, 0 },
	{ "text/plain;q=2", 0, 0 },
	{ "text/plain;q=0.1234", 0, 0 },
	{ "text/plain;q=", 0, 0 },
	{ "text/plain;q=-1", 0, 0 },
	{ "text/plain;q=1,5", 0, 1000 },
	/* pieces of nothing */
	{ "", 0, 0 },
	{ ",,;,;;", 0, 0 },
	{ ";q=1", 0, 0 },
	{ "text/plain;", 0, 1000 },
	{ "text/plain;;;q=0.5;", 0, 500 },
	{ "application/openmetrics-textual, text/plai, text/plainly", 0, 0 },
};

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_accept accept = { 0 };

		http_accept_add(&accept, cases[i].value, strlen(cases[i].value));
		if (accept.openmetrics != cases[i].openmetrics || accept.text != cases[i].text)
			fail_msg("\"%s\": %u, %u", cases[i].value, accept.openmetrics, accept.text);
	}
}

static void
test_the_best_of_several_fields_counts(void **state)
{
	struct http_accept accept = { 0 };

	(void)state;
	http_accept_add(&accept, "text/plain;q=0.5", 16);
	http_accept_add(&accept, "text/plain;q=0.7", 16);
	http_accept_add(&accept, "text/plain;q=0.6", 16);
	assert_int_equal(accept.text, 700);
}

/* Nothing behind the end is looked at: every beginning of a field, at the end of its own memory. */
static void
test_it_stays_within_its_bytes(void **state)
{
	const char *whole = cases[0].value;

	(void)state;
	for (size_t length = 0; length <= strlen(whole); length++) {
		struct http_accept accept = { 0 };
		char *copy = test_malloc(length > 0 ? length : 1);

		memcpy(copy, whole, length);
		http_accept_add(&accept, copy, length);
		assert_true(accept.openmetrics <= 1000);
		test_free(copy); /* cmocka looks at the guard behind it */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_the_best_of_several_fields_counts),
		cmocka_unit_test(test_it_stays_within_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
