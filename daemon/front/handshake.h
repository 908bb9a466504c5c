/*
 * TLS handshakes of connections: admission, deadline, how they end.
 */
#ifndef ZYGOTED_FRONT_HANDSHAKE_H
#define ZYGOTED_FRONT_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct connection;
struct front;
struct msg_stats_end;

/* Where a connection stands; it has no TLS state, and so costs little, before it is active. */
enum handshake_place {
	HANDSHAKE_NONE,	   /* plain, over, or nothing has come from the client */
	HANDSHAKE_WAITING, /* as many as may be are active */
	HANDSHAKE_ACTIVE
};

struct handshakes {
	TAILQ_HEAD(handshake_list, connection) waiting;
	unsigned waiting_count;
	unsigned active_count;
	uint64_t ok;
	uint64_t resumed;
	uint64_t failed;
	uint64_t timed_out;
};

void handshake_init(struct front *front);

/* A connection of a listener that speaks TLS was accepted. */
void handshake_begin(struct connection *connection);

/* Its client has sent something. Whether to read it: otherwise it waits, or is closed. */
bool handshake_admit(struct connection *connection);

/* What transport_read gave, with errno. True: the handshake is over, bytes are HTTP from now on. */
bool handshake_step(struct connection *connection, ssize_t count);

/* The deadline has passed: closes it. */
void handshake_on_timeout(struct connection *connection);

/* The connection ends; one that waits may take its place. */
void handshake_forget(struct connection *connection);

void handshake_stats(const struct front *front, struct msg_stats_end *stats_out);

#endif
