/*
 * A client connection: bytes in and out, one request after the other, and the end in good order.
 *
 *	(handshake) -> idle -> head -> exchange -> (flush) -> idle ...    -> linger -> closed
 *	                              scrape (of a metrics listener)
 *
 * Closing is deferred: connection_close ends all activity at once, the memory goes when the event
 *loop comes round, so that callers up the stack need not fear for their pointers; they check
 *connection_is_closed.
 */
#ifndef ZYGOTED_FRONT_CONNECTION_H
#define ZYGOTED_FRONT_CONNECTION_H

#include "base/heritage.h"
#include "front/exchange.h"
#include "front/handshake.h"
#include "front/http_request.h"
#include "front/penalty.h"
#include "front/scrape.h"
#include "front/transport.h"

#include <event2/buffer.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum connection_state {
	CONNECTION_PREAMBLE,  /* a proxy has to say whose connection it is */
	CONNECTION_HANDSHAKE, /* of TLS */
	CONNECTION_IDLE, /* nothing of a request is there, or others have their turn before it */
	CONNECTION_HEAD, /* a part of a request head is there */
	CONNECTION_EXCHANGE, /* a request is in progress */
	CONNECTION_SCRAPE,   /* waits for the metrics' text */
	CONNECTION_FLUSH,    /* its answer is complete, but not yet taken */
	CONNECTION_LINGER, /* answered and shut down for writing; reads on until the client has seen
			      it */
	CONNECTION_CLOSED,
	CONNECTION_STATE_MAX
};

struct preamble;
struct protocol_ops;

struct connection {
	TAILQ_ENTRY(connection) link;
	TAILQ_ENTRY(connection) handshake_link; /* while HANDSHAKE_WAITING */
	TAILQ_ENTRY(connection) scrape_link;	/* while it waits for the metrics' text */
	struct front *front;
	const struct heritage_listener *listener;
	const struct protocol_ops *ops; /* what the listener spoke when it was opened */
	struct transport transport;
	struct event read_event;
	struct event write_event;
	struct event timer; /* the deadline of the present state */
	struct evbuffer *in;
	struct evbuffer *out;
	struct exchange exchange;
	struct scrape scrape;	   /* of a metrics listener */
	struct http_parser parser; /* where HTTP is spoken */
	uint32_t payload_bytes;	   /* of the request, where frames are */
	unsigned requests;
	enum connection_state state;
	enum handshake_place handshake;
	bool departure_watched;
	bool processing;   /* connection_process is on the stack */
	bool close_after;  /* no further request on this connection */
	bool leaving;	   /* one more request at most: its answer says Connection: close */
	bool is_local;	   /* over a Unix socket: it cannot be reset */
	bool eof;	   /* the client has shut down its sending side */
	int64_t credit_ms; /* how long the client may still be slower than the minimum rate */
	uint64_t linger_bytes;
	uint32_t
		gather_max_bytes; /* of one answer that is gathered; the listener's when it was opened */
	uint64_t gathered_bytes; /* of such an answer, until the client has all of it */
	char peer_address[INET6_ADDRSTRLEN];
	char peer_port[8];
	char request_id[REQUEST_ID_MAX + 1]; /* of the request in progress, or the last one */
	struct penalty_source source;
	struct preamble *preamble;	   /* in CONNECTION_PREAMBLE */
	struct source_count *source_count; /* NULL: it is not counted */
};

/* Takes over the socket. 0, or -1 when out of memory, or when
 * its source has as many as it may (fd is closed). */
int connection_open(struct front *front, const struct heritage_listener *listener, int fd,
		    const struct sockaddr_storage *peer) __attribute__((warn_unused_result));

/* The client is that one. */
void connection_set_peer(struct connection *connection, const struct sockaddr_storage *peer);
/* Waits for TLS or a request. */
void connection_begin(struct connection *connection);

/* Ends it at once; a request in progress counts as `client_gone` unless it has ended. */
void connection_close(struct connection *connection);
/* The same, by RST: an answer that broke off must not look complete. */
void connection_reset(struct connection *connection);
bool connection_is_closed(const struct connection *connection);

/* A new one, in its first state, is counted. */
void connection_count_open(const struct connection *connection);

/* The only way from one state to the next: the figures follow. */
void connection_change_state(struct connection *connection, enum connection_state state);

/* Of a metrics listener: it neither counts as a client's nor holds up a drain. */
bool connection_is_scraper(const struct connection *connection);

/* Writes what is in `out` as far as the client takes it. May close the connection. */
void connection_flush(struct connection *connection);

/* Makes its events. */
void connection_watch(struct connection *connection);

/*
 * How many bytes to read from the client in the present state; 0: none now. Bounds `in`: a head is
 * bounded by its parser, and requests that follow wait in the socket.
 */
size_t connection_input_room(const struct connection *connection);

/* Watches the client's socket for what the present state can use. */
void connection_update(struct connection *connection);

/* Replaces the deadline; NULL: none. */
void connection_set_timer(struct connection *connection, const struct timeval *timeout);

/* A request id of the front's own, for a request that names none or was not understood. */
void connection_make_request_id(struct connection *connection);

/* Starts the next requests in `in`, one after the other, as long as each ends at once. */
void connection_process(struct connection *connection);

/* Answers with an error where no exchange has begun, and closes. `status` and `text` as in
 * response_error. */
void connection_refuse(struct connection *connection, enum outcome outcome, int status,
		       const char *text);

/* The exchange, or the scrape, has ended and its answer is in `out`: go on with the next request, or close. */
void connection_on_exchange_end(struct connection *connection);

/* Once a second: minimum rates. */
void connection_tick(struct connection *connection);

/* Everything that was written has reached the socket. */
bool connection_is_drained(const struct connection *connection);

/* The timer's callback: the deadline of the state has passed. */
void connection_on_timer(evutil_socket_t fd, short what, void *argument);

/*
 * Has connections end after their request, or after half a second without one: all of them, or those of
 * one listener.
 */
void connection_leave_all(struct front *front, const struct heritage_listener *listener);

/*
 * Ends those that a listener's place still has from what was there before: a further request would have the
 * next one's name, and its pool. Those whose request a child has end after it.
 */
void connection_cut_all(struct front *front, const struct heritage_listener *listener);

#endif
