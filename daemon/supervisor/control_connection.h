/*
 * One connection to the control socket: its bounds, its lines, its answers. What a line does is in
 * control; what a command does in control_commands.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_CONNECTION_H
#define ZYGOTED_SUPERVISOR_CONTROL_CONNECTION_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "supervisor/control_socket.h"

struct bufferevent;
struct control;
struct control_request;
struct event;
struct event_base;

/* What the timer of a connection bounds just now. */
enum connection_phase { PHASE_IDLE, PHASE_LINE, PHASE_ANSWER, PHASE_LONG_ANSWER, PHASE_MAX };

TAILQ_HEAD(control_connections, control_connection);

struct control_connection {
	TAILQ_ENTRY(control_connection) link; /* least recently used first */
	struct control *control;
	struct control_connections *list; /* that it is in */
	struct bufferevent *stream;
	struct event *timer;
	struct control_request *request; /* in progress, or NULL */
	enum control_access access;
	enum connection_phase phase;
	bool ended;   /* the peer sends no more */
	bool closing; /* closed once the answer has left */
};

/*
 * Starts to serve an accepted socket. NULL when out of memory: then fd is still the caller's. With
 * CONTROL_NONE the peer gets one line that says so.
 */
struct control_connection *control_connection_new(struct control *control, struct event_base *base,
						  struct control_connections *list, int fd,
						  enum control_access access);

/* Closes it; a command in progress goes on without it. */
void control_connection_free(struct control_connection *connection);

/* The answer to this command may take as long as a zygote may load. */
void control_connection_wait_long(struct control_connection *connection);

/* Sends one answer; NULL says that memory was lacking for it. Does not free the connection. */
void control_connection_write(struct control_connection *connection, const json_t *reply);

/* Sends an error, and closes when that has left. */
void control_connection_refuse(struct control_connection *connection, const char *text);

#endif
