/*
 * For tests of the chunked decoder: decodes a body in one piece, byte by byte and cut in two at
 * each position, and fails the test when these differ. Needs cmocka's headers before it.
 */
#ifndef TESTS_UNIT_HTTP_BODY_TRY_H
#define TESTS_UNIT_HTTP_BODY_TRY_H

#include "front/http_body.h"

/* What came of a body. */
struct body_outcome {
	enum http_result result;
	int status;
	const char *reason;
	size_t consumed;
	size_t length;
	char body[4096];
};

/* Feeds one delivery until it is used up or decides; adds to the outcome. */
void body_deliver(struct http_chunked *chunked, const char *data, size_t length,
		  struct body_outcome *outcome);

/* Decodes in all ways. */
void body_try(const char *text, size_t length, struct body_outcome *whole);

void body_assert_refused(const char *text, size_t length, int status, const char *reason);
void body_assert_decoded(const char *text, size_t length, const char *body);

#endif
