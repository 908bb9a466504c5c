/*
 * The daemon's listening sockets: opened by the supervisor, which may be root and so have low
 * ports, and inherited by every front.
 */
#ifndef ZYGOTED_SUPERVISOR_LISTENERS_H
#define ZYGOTED_SUPERVISOR_LISTENERS_H

#include "base/proto.h"

#include <stdint.h>

struct config;
struct identity;

struct listeners {
	uint32_t count;
	int fds[PROTO_LISTENERS_MAX]; /* in the order of config.listeners */
	const struct config *config;
};

/* Opens, binds and listens. Dies with a line that names the listener and what to do. */
void listeners_open(const struct config *config, const struct identity *identity,
		    struct listeners *listeners_out);

/* Closes them, and removes the files of Unix sockets. */
void listeners_close(struct listeners *listeners);

#endif
