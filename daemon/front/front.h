/*
 * The front: accepts, parses, admits, and moves bytes between clients and children.
 *
 * One struct front holds everything; it is passed down explicitly. Single-threaded, one libevent
 * loop, no blocking call after start-up.
 */
#ifndef ZYGOTED_FRONT_FRONT_H
#define ZYGOTED_FRONT_FRONT_H

#include "base/heritage.h"
#include "front/balance.h"
#include "front/handshake.h"
#include "front/tls.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/queue.h>

struct access_log;
struct connection;
struct listener;
struct penalty_table;
struct pool;
struct scrapes;
struct source_counts;

/*
 * Bytes read from a socket at a time; also the mark at which a direction stops reading to wait for
 * the other. So many that a buffer of libevent's with its 48 bytes of books is 16 KiB: it rounds up
 * to powers of two.
 */
#define FRONT_IO_BYTES (16384 - 64)
/* Of a body, which goes on to the child at once. */
#define FRONT_BODY_BYTES    (32768 - 64)
#define FRONT_SCRATCH_BYTES 33280 /* with TLS: a read, and the record that it completes */

struct listener_figures {
	uint32_t connections[ACTIVITY_MAX];
	uint64_t accepted;
	uint64_t refused;
};

struct front {
	struct heritage_front *heritage; /* written by reconfigure alone */
	struct event_base *base;
	struct event supervisor_event;
	struct event tick;
	struct event memory_timer;
	struct event departures;    /* some client leaves that is not read from */
	int departures_fd;	    /* the epoll set of those */
	struct pool *pools;	    /* PROTO_POOLS_MAX places */
	struct listener *listeners; /* PROTO_LISTENERS_MAX places */
	struct penalty_table *penalties;
	struct scrapes *scrapes;
	struct listener_figures figures[PROTO_LISTENERS_MAX];
	struct access_log *access_log; /* NULL: none is wanted */
	TAILQ_HEAD(connection_list, connection) connections;
	unsigned connections_count; /* of clients */
	unsigned scrapers_count;    /* of metrics listeners */
	struct balance balance;	    /* of clients, with the other fronts */
	unsigned active_count;	    /* connections with a request in progress */
	uint64_t open_files;	    /* the process's limit */
	uint32_t connections_max;   /* of the configuration, or what descriptors leave room for */
	uint32_t listener_connections[PROTO_LISTENERS_MAX];
	struct source_counts *source_counts;
	uint64_t
		gathered_bytes; /* of answers that are gathered, or that clients have yet to take */
	int reserve_fd; /* given up when descriptors run out; -1 when it could not be had again */
	bool draining;
	uint64_t drain_cookie;
	uint64_t started_ns;
	uint64_t next_id; /* of requests; random start, so that ids of two fronts differ */
	uint64_t accepted;
	uint64_t refused;
	uint64_t requests;
	uint64_t outcomes[OUTCOME_MAX]; /* all requests, those without a pool too */
	const struct timeval
		*header_timeout; /* common timeouts: constant-time queues of libevent's */
	const struct timeval *idle_timeout;
	const struct timeval *linger_timeout;
	const struct timeval *handshake_timeout;
	struct tls tls;
	struct handshakes handshakes;
	const struct timeval *leave_timeout; /* of idle connections that are to end */
	/* Where sockets are read into; nothing in it outlives the call that filled it. */
	unsigned char scratch[FRONT_SCRATCH_BYTES];
};

/* The process's main: never returns. argv was "zygoted: front". */
_Noreturn void front_run(void);

/* CLOCK_MONOTONIC. */
uint64_t front_now_ns(void);

/* A libevent common timeout of that many milliseconds; dies when there is no memory or libevent has
 * no room for one more (start-up only). */
const struct timeval *front_common_timeout(struct front *front, uint32_t ms);
/* The same while it runs: where none can be had the old one stays, which is logged. */
void front_change_timeout(struct front *front, uint32_t ms, const struct timeval **timeout);

/* Takes the common timeouts over from the heritage. */
void front_change_timeouts(struct front *front);

/* Counts one ended request that no pool got; pool_count_outcome does it for the others. */
void front_count_outcome(struct front *front, enum outcome outcome);

#endif
