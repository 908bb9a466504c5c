/*
 * What the protocols of listeners do differently, as a table of operations: how a request's head is
 * read, what a child and the access log are told of it, and how an answer looks on the wire. All the
 * rest of a connection and an exchange is the same for each of them.
 */
#ifndef ZYGOTED_FRONT_PROTOCOL_OPS_H
#define ZYGOTED_FRONT_PROTOCOL_OPS_H

#include "base/heritage.h"
#include "front/http_token.h"

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access_request;
struct connection;
struct exchange;
struct reply_event;
struct request_frame;
struct response_error;

/* Why a head is refused. */
struct protocol_fault {
	int status;	    /* of HTTP; 0: the outcome's own */
	const char *reason; /* a literal */
};

/* A field of the request, for the child. */
struct protocol_text {
	const char *text;
	size_t length;
};

struct protocol_ops {
	bool is_scraper; /* its requests are the front's own to answer */
	/* What a head that ends in the middle is refused with; NULL: it is dropped without a word. */
	const char *truncated;

	/* Another request begins. */
	void (*start)(struct connection *connection);
	/* Looks at the head at the start of `in`, which stays there. `data` has all of `in`. */
	enum http_result (*read_head)(struct connection *connection, const char *data,
				      size_t length, struct protocol_fault *fault_out);
	/*
	 * The head is complete: sets head_bytes, the body's length and end, keep_alive and what else of the exchange
	 * follows from the head, and the connection's request id. `head` is the start of `in`, here and below.
	 */
	void (*describe)(struct exchange *exchange, const char *head);
	/* Sets pool, route and route_bytes. False when there is no such pool. */
	bool (*find_pool)(struct exchange *exchange, const char *head);
	/* Those of enum zy_field that come from the head; `fields` has a place for each, the others are filled in. */
	void (*add_fields)(const struct exchange *exchange, const char *head,
			   struct protocol_text *fields);
	void (*add_headers)(const struct exchange *exchange, const char *head,
			    struct request_frame *frame);
	void (*tell_access)(const struct connection *connection, struct access_request *out);

	/*
	 * The answer, each part as the child sends it, to `out`. False when out of memory. exchange->gathers, set in
	 * add_head, has parts that come later kept until add_end.
	 */
	bool (*add_head)(struct exchange *exchange, const unsigned char *data,
			 const struct reply_event *event);
	bool (*add_body)(struct exchange *exchange, const unsigned char *data, size_t length);
	bool (*add_end)(struct exchange *exchange);
	/* An answer of the front's own. 0, or -1 when out of memory. */
	int (*add_error)(struct evbuffer *out, const struct response_error *error);
};

extern const struct protocol_ops protocol_http;
extern const struct protocol_ops protocol_metrics;
extern const struct protocol_ops protocol_frame;

const struct protocol_ops *protocol_ops_of(enum protocol protocol);

#endif
