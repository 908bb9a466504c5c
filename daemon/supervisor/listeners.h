/*
 * The daemon's listening sockets: opened by the supervisor, which may be root and so have low
 * ports, and inherited by every front.
 */
#ifndef ZYGOTED_SUPERVISOR_LISTENERS_H
#define ZYGOTED_SUPERVISOR_LISTENERS_H

#include "base/proto.h"
#include "supervisor/unix_socket.h"

#include <stdbool.h>
#include <stdint.h>

#define LISTENERS_ERROR_MAX 320

struct config;
struct config_listener;
struct identity;

struct listeners {
	uint32_t count;		      /* places, free ones too */
	int fds[PROTO_LISTENERS_MAX]; /* in the order of config.listeners; -1: free */
	struct unix_socket_file files
		[PROTO_LISTENERS_MAX]; /* of Unix sockets that we made, not the service manager */
	const struct config *config;
};

/*
 * Takes each from the service manager if it has one of that name, else opens, binds and listens. Dies
 * with a line that names the listener and what to do.
 */
void listeners_open(const struct config *config, const struct identity *identity,
		    struct listeners *listeners_out);

/*
 * A listening socket for that address, the caller's, as is the file of a Unix socket; -1 after writing
 * why not and what to do.
 */
int listeners_open_one(const struct config_listener *listener, const struct identity *identity,
		       struct unix_socket_file *file_out, char error[LISTENERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Removes the file, if there is one, that listeners_open_one made for it; before the socket is closed. */
void listeners_remove_file(const struct config_listener *listener, struct unix_socket_file *file);

/* Closes them, and removes their files. */
void listeners_close(struct listeners *listeners);

#endif
