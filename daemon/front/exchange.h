/*
 * One request and its answer: from the parsed head to the last byte, between a client connection
 *and a child.
 *
 *	none -> queued -> running -> (exit wait) -> none
 *
 * An exchange is part of its connection and lives in it, one at a time. It ends in exactly one
 *outcome, counted once.
 */
#ifndef ZYGOTED_FRONT_EXCHANGE_H
#define ZYGOTED_FRONT_EXCHANGE_H

#include "base/proto.h"
#include "front/generation.h"
#include "front/http_body.h"
#include "front/reply_parse.h"

#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/queue.h>

struct access_note;
struct connection;
struct pool;

enum exchange_state {
	EXCHANGE_NONE,
	EXCHANGE_QUEUED,    /* waits for a child */
	EXCHANGE_RUNNING,   /* a child has it */
	EXCHANGE_EXIT_WAIT, /* the child hung up early; its exit report will tell why */
	EXCHANGE_STATE_MAX
};

struct exchange {
	TAILQ_ENTRY(exchange) queue_link;
	struct connection *connection;
	struct pool *pool;   /* NULL: no route took it */
	struct child *child; /* NULL before it has one and after the zygote has reaped it */
	enum exchange_state state;
	uint64_t id;
	uint64_t received_ns;
	uint64_t taken_ns;
	struct {
		int32_t pid; /* 0: not yet reported */
		uint32_t generation;
		uint32_t fork_us;
	} served_by;		    /* valid once taken_ns is set */
	struct access_note *access; /* NULL when there is no access log */
	const char *route;
	uint32_t route_bytes;
	bool probe;	/* for the pool's breaker */
	bool is_sample; /* its child is told to stay when it has answered */
	/* the request */
	size_t head_bytes;
	bool head_pending; /* its head is still at the start of the connection's `in` */
	bool chunked_body;
	bool expect_continue; /* the client waits for 100 before it sends its body */
	struct http_chunked chunked;
	uint64_t body_left;  /* of a Content-Length body: bytes still to come from the client */
	uint64_t body_bytes; /* passed on so far */
	bool body_done;	     /* all of it came from the client */
	bool head_method;    /* HEAD: the answer has no body */
	int minor;	     /* HTTP/1.minor */
	/* the child's channel */
	int child_fd;
	struct event child_read;
	struct event child_write;
	struct evbuffer *to_child; /* not yet taken by the child; made when first needed */
	struct evbuffer
		*partial; /* a reply frame that is not complete yet; made when first needed */
	struct reply_parser parser;
	bool child_is_nonblocking;
	bool child_deaf; /* it does not read any more: its body is dropped */
	bool exit_known;
	struct child_exit exit;
	/* the answer */
	struct evbuffer
		*gathered;    /* until it is complete, where it must be; made when first needed */
	size_t gathered_head; /* bytes of its head at the start of that */
	bool head_sent;
	unsigned status; /* the worker's, valid once head_sent: 200..599 */
	bool chunked_reply;
	bool no_body;
	bool keep_alive;
	bool gathers;	      /* it leaves when it is complete */
	unsigned retry_after; /* seconds, of a source under penalty */
	uint64_t reply_bytes;
	uint64_t reply_max_bytes; /* the pool's when it got its child */
};

/* Starts the exchange for the head that the connection's parser has just completed at the start of
 * `in`. */
void exchange_begin(struct connection *connection);

/*
 * Pools: a child is yours now. False: it died while it was parked and has got nothing of the request; the exchange still
 * waits for one.
 */
bool exchange_run(struct exchange *exchange, struct child *child);

/* The connection has more of the body, or room for more of the answer. */
void exchange_on_input(struct exchange *exchange);
void exchange_on_output(struct exchange *exchange);
/* The deadline of the state has passed. */
void exchange_on_timeout(struct exchange *exchange);
/* The zygote reaped the child, or (NULL) is gone itself. */
void exchange_on_exit(struct exchange *exchange, const struct child_exit *ended);

/* The zygote has reported the child, which may have its request already. */
void exchange_on_forked(struct exchange *exchange, const struct child *child);
/* There never was a child. */
void exchange_on_fork_failed(struct exchange *exchange);

/* Whether the front waits for the client's body (and not for the child to take it). */
bool exchange_wants_input(const struct exchange *exchange);

/* What a client is told of a failure: a malformed body has a status and a reason of its own. */
int exchange_failure_status(const struct exchange *exchange, enum outcome outcome);
const char *exchange_failure_text(const struct exchange *exchange, enum outcome outcome);

/* Ends it: error answer if nothing has been sent yet, else the connection breaks. */
void exchange_fail(struct exchange *exchange, enum outcome outcome);
/* Ends it without an answer. */
void exchange_abandon(struct exchange *exchange, enum outcome outcome);

/* Frees what it keeps between requests of a connection. */
void exchange_fini(struct exchange *exchange);

/* ---- between the two source files of this module ---- */

/* The child's socket is readable: parse and pass on its reply. */
void exchange_reply_on_readable(struct exchange *exchange);
/* Moves body bytes from the connection to the child. */
void exchange_body_pump(struct exchange *exchange);
/* The same, after what waited for the child has been sent. */
void exchange_on_child_writable(struct exchange *exchange);
/* Makes `to_child` ready for use. False when out of memory. */
bool exchange_open_to_child(struct exchange *exchange);
/* Ends the tie to the child; `kill` unless it has answered. */
void exchange_release_child(struct exchange *exchange, bool kill);
/* The reply is complete. */
void exchange_complete(struct exchange *exchange);

#endif
