/*
 * For tests of the request parser: runs a head through it in one piece, byte by byte and cut in two
 * at each position, and fails the test when these differ. Needs cmocka's headers before it.
 */
#ifndef TESTS_UNIT_HTTP_TRY_H
#define TESTS_UNIT_HTTP_TRY_H

#include "front/http_request.h"

/* A head and what it must be refused with. */
struct http_refusal {
	const char *text;
	size_t length;
	int status;
	const char *reason;
};

#define HTTP_REFUSAL(status, reason, text)                                                         \
	{                                                                                          \
		text, sizeof(text) - 1, status, reason                                             \
	}

/* A head and what http_try_describe must say of it. */
struct http_acceptance {
	const char *text;
	const char *description;
};

/* Parses in all ways; the result is left in *parser_out. */
void http_try(const char *text, size_t length, struct http_parser *parser_out);

/*
 * What was understood: "GET /path?query @host 1.1 body=none keep". Body: none, a length or chunked;
 * then keep or close; then expect if so. "?" only when there is a query.
 */
void http_try_describe(const char *text, const struct http_request *request, char *out,
		       size_t size);

/* The headers: "a:1 -te:x +host:y"; '-' hop by hop, '+' for the front. */
void http_try_describe_headers(const char *text, const struct http_request *request, char *out,
			       size_t size);

/* Checks a table each. */
void http_try_refusals(const struct http_refusal *cases, size_t count);
void http_try_acceptances(const struct http_acceptance *cases, size_t count);
void http_try_headers(const struct http_acceptance *cases, size_t count);

/* One case. */
void http_try_refused(const char *text, size_t length, int status, const char *reason);
void http_try_accepted(const char *text, size_t length);

#endif
