/*
 * The control socket: connections, command lines in, JSON lines out. The commands are in
 * control_commands.
 *
 * A connection has at most one command in progress; it is read again when the answer has left.
 * Nothing that a peer sends, or does not take, holds up the loop.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_H
#define ZYGOTED_SUPERVISOR_CONTROL_H

#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

#include "supervisor/control_line.h"
#include "supervisor/control_socket.h"

struct control;
struct control_connection;
struct supervisor;

/*
 * A command in progress. It lives until it is answered, even when its connection is gone meanwhile.
 */
struct control_request {
	LIST_ENTRY(control_request) link;
	struct supervisor *supervisor;
	struct control_connection *connection; /* NULL: gone */
	enum control_access access;
	struct control_words words;
	/* What `children` has so far: it goes through the pools one by one. */
	json_t *list;
	uint32_t pool;
	uint32_t pools_end;
};

/* Opens the socket and starts to serve; dies when it cannot. */
struct control *control_open(struct supervisor *supervisor);

/* Removes the socket's file, closes all connections and frees. NULL is allowed. */
void control_close(struct control *control);

/* Answers a request, exactly once; it is freed. Takes the reference to `reply`; NULL says out of
 * memory. */
void control_reply(struct control_request *request, json_t *reply);

/* {"ok":false,"error":...} */
void control_reply_error(struct control_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The object of an error; NULL when out of memory. */
json_t *control_make_error(const char *text);

/* For connections: runs one line of theirs, without its newline; and takes note that one was
 * closed. */
void control_run_line(struct control_connection *connection, const char *line, size_t length);
void control_on_closed(struct control *control);

#endif
