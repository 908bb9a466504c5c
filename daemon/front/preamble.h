/*
 * What comes before anything else on a connection from a proxy: the PROXY header, which says who the
 * client is.
 */
#ifndef ZYGOTED_FRONT_PREAMBLE_H
#define ZYGOTED_FRONT_PREAMBLE_H

#include <stdbool.h>
#include <sys/socket.h>

struct connection;
struct heritage_listener;

/* Whether connections of the listener begin with such a header. */
bool preamble_is_due(const struct heritage_listener *listener);

/* Whether connections of that peer may be taken at all: a listener that has trusted proxies takes none of others. */
bool preamble_may_begin(const struct heritage_listener *listener,
			const struct sockaddr_storage *peer);

/* A connection of such a listener was accepted. False when out of memory. */
bool preamble_begin(struct connection *connection) __attribute__((warn_unused_result));

/* Reads what belongs to the header, and no byte more; goes on with TLS or a request behind it. May
 * close the connection. */
void preamble_on_readable(struct connection *connection);

/* Frees what it keeps. */
void preamble_fini(struct connection *connection);

#endif
