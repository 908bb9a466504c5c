/*
 * The control socket: accepts, has lines run as commands, and sends their answers.
 *
 * Runs in: supervisor. The rule: whatever happens to a connection, its command ends with exactly
 * one answer, which is dropped when nobody waits for it any more.
 */
#include "supervisor/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/control_commands.h"
#include "supervisor/control_connection.h"
#include "supervisor/supervisor.h"
#include "supervisor/unix_socket.h"

#define CONTROL_CONNECTIONS_MAX 64
#define CONTROL_PAUSE_MS	1000 /* accepting again after running out of descriptors */

struct control {
	struct supervisor *supervisor;
	struct control_rights rights;
	struct unix_socket_file file;
	struct evconnlistener *listener;
	struct event *resume_timer;
	unsigned count;				/* of connections */
	struct control_connections connections; /* least recently used first */
	LIST_HEAD(control_requests, control_request) requests;
};

static void
request_free(struct control_request *request)
{
	LIST_REMOVE(request, link);
	if (request->connection != NULL)
		request->connection->request = NULL;
	json_decref(request->list);
	free(request);
}

void
control_reply(struct control_request *request, json_t *reply)
{
	if (request->connection != NULL)
		control_connection_write(request->connection, reply);
	json_decref(reply);
	request_free(request);
}

json_t *
control_make_error(const char *text)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

void
control_reply_error(struct control_request *request, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	control_reply(request, control_make_error(text));
}

void
control_run_line(struct control_connection *connection, const char *line, size_t length)
{
	struct control *control = connection->control;
	struct control_request *request = calloc(1, sizeof(*request));
	const char *error;

	if (request == NULL) {
		control_connection_refuse(connection, "out of memory");
		return;
	}
	request->supervisor = control->supervisor;
	request->connection = connection;
	request->access = connection->access;
	connection->request = request;
	LIST_INSERT_HEAD(&control->requests, request, link);
	error = control_line_split(line, length, &request->words);
	if (error != NULL)
		control_reply_error(request, "%s", error);
	else
		control_commands_run(request);
}

void
control_on_closed(struct control *control)
{
	control->count--;
}

/* Makes room by closing the connection that has been idle for longest. */
static bool
make_room(struct control *control)
{
	struct control_connection *connection;

	if (control->count < CONTROL_CONNECTIONS_MAX)
		return true;
	TAILQ_FOREACH (connection, &control->connections, link) {
		if (connection->phase != PHASE_IDLE)
			continue;
		control_connection_free(connection);
		return true;
	}
	return false;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length,
	  void *context)
{
	struct control *control = context;
	const enum control_access access = control_socket_access(fd, &control->rights);

	(void)listener;
	(void)address;
	(void)length;
	if (make_room(control) && control_connection_new(control, control->supervisor->base,
							 &control->connections, fd, access) != NULL)
		control->count++;
	else
		close(fd);
}

/* Out of descriptors or memory: the listener would be ready again at once, so wait a little. */
static void
on_accept_error(struct evconnlistener *listener, void *context)
{
	struct control *control = context;
	const struct timeval pause = clock_timeval(CONTROL_PAUSE_MS);

	log_event(LOG_WARNING, "control connection not accepted", "error=\"%s\"", strerror(errno));
	if (evtimer_add(control->resume_timer, &pause) == 0)
		evconnlistener_disable(listener);
}

static void
on_resume(evutil_socket_t fd, short what, void *context)
{
	struct control *control = context;

	(void)fd;
	(void)what;
	evconnlistener_enable(control->listener);
}

struct control *
control_open(struct supervisor *supervisor)
{
	const struct config *config = supervisor->config;
	struct control *control = calloc(1, sizeof(*control));
	int fd;

	if (control == NULL)
		die("out of memory");
	control->supervisor = supervisor;
	TAILQ_INIT(&control->connections);
	LIST_INIT(&control->requests);
	control_socket_resolve_rights(config->control_group, &supervisor->identity,
				      &control->rights);
	fd = control_socket_open(config->control, &control->rights, &control->file);
	control->resume_timer = evtimer_new(supervisor->base, on_resume, control);
	control->listener =
		evconnlistener_new(supervisor->base, on_accept, control,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (control->resume_timer == NULL || control->listener == NULL)
		die("out of memory");
	evconnlistener_set_error_cb(control->listener, on_accept_error);
	return control;
}

static void
free_connections(struct control *control)
{
	struct control_connection *connection = TAILQ_FIRST(&control->connections);

	while (connection != NULL) {
		struct control_connection *next = TAILQ_NEXT(connection, link);
		control_connection_free(connection);
		connection = next;
	}
}

static void
free_requests(struct control *control)
{
	struct control_request *request = LIST_FIRST(&control->requests);

	while (request != NULL) {
		struct control_request *next = LIST_NEXT(request, link);
		request_free(request);
		request = next;
	}
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	unix_socket_remove(control->supervisor->config->control, &control->file);
	free_connections(control);
	free_requests(control);
	evconnlistener_free(control->listener);
	event_free(control->resume_timer);
	free(control);
}
