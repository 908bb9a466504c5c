/*
 * Connections to the control socket.
 *
 * Runs in: supervisor. Trusts no peer to be quick, to end its lines, to read its answers, or to go
 * away: every connection has one timer that always runs, its input is bounded by a line, its output
 * by one answer.
 */
#include "supervisor/control_connection.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "supervisor/clock.h"
#include "supervisor/control.h"

#define CONTROL_IDLE_MS	  300000 /* between commands */
#define CONTROL_LINE_MS	  5000	 /* from a line's first byte to its end */
#define CONTROL_ANSWER_MS 15000	 /* to work on a command, or for the peer to take the answer */

/* Beyond the time after which a new generation is given up. */
#define CONTROL_LONG_ANSWER_MS 660000

/* The kernel turns a close with unread input into a reset, which could overtake our last line. */
static void
discard_input(struct control_connection *connection)
{
	char scratch[4 * CONTROL_LINE_MAX];
	const evutil_socket_t fd = bufferevent_getfd(connection->stream);

	for (int i = 0; i < 16; i++)
		if (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) <= 0)
			return;
}

void
control_connection_free(struct control_connection *connection)
{
	if (connection->request != NULL)
		connection->request->connection = NULL;
	TAILQ_REMOVE(connection->list, connection, link);
	control_on_closed(connection->control);
	if (connection->closing)
		discard_input(connection);
	bufferevent_free(connection->stream);
	event_free(connection->timer);
	free(connection);
}

/* Enters a phase, and moves the connection to the end of the list. */
static void
begin_phase(struct control_connection *connection, enum connection_phase phase)
{
	static const uint32_t bounds_ms[PHASE_MAX] = {
		[PHASE_IDLE] = CONTROL_IDLE_MS,
		[PHASE_LINE] = CONTROL_LINE_MS,
		[PHASE_ANSWER] = CONTROL_ANSWER_MS,
		[PHASE_LONG_ANSWER] = CONTROL_LONG_ANSWER_MS,
	};
	const struct timeval bound = clock_timeval(bounds_ms[phase]);

	connection->phase = phase;
	evtimer_add(connection->timer, &bound);
	TAILQ_REMOVE(connection->list, connection, link);
	TAILQ_INSERT_TAIL(connection->list, connection, link);
}

/* The same, but staying in a phase does not prolong it. */
static void
set_phase(struct control_connection *connection, enum connection_phase phase)
{
	if (connection->phase != phase || !evtimer_pending(connection->timer, NULL))
		begin_phase(connection, phase);
}

void
control_connection_wait_long(struct control_connection *connection)
{
	begin_phase(connection, PHASE_LONG_ANSWER);
}

static bool
has_output(const struct control_connection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0;
}

void
control_connection_write(struct control_connection *connection, const json_t *reply)
{
	static const char fallback[] = "{\"ok\":false,\"error\":\"out of memory\"}\n";
	struct evbuffer *output = bufferevent_get_output(connection->stream);
	char *text =
		reply != NULL ? json_dumps(reply, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;

	begin_phase(connection, PHASE_ANSWER);
	if (text == NULL)
		evbuffer_add(output, fallback, sizeof(fallback) - 1);
	else
		evbuffer_add_printf(output, "%s\n", text);
	free(text);
}

/* Says why and closes when that has left. */
void
control_connection_refuse(struct control_connection *connection, const char *text)
{
	json_t *reply = control_make_error(text);

	connection->closing = true;
	bufferevent_disable(connection->stream, EV_READ);
	control_connection_write(connection, reply);
	json_decref(reply);
}

/* Takes one line out of the input. False when there is no whole one. */
static bool
take_line(struct control_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->stream);
	char line[CONTROL_LINE_MAX + 2];
	size_t ending;
	struct evbuffer_ptr end = evbuffer_search_eol(input, NULL, &ending, EVBUFFER_EOL_LF);

	if (end.pos < 0 && evbuffer_get_length(input) <= CONTROL_LINE_MAX)
		return false;
	if (end.pos < 0 || end.pos > CONTROL_LINE_MAX) {
		control_connection_refuse(connection, "line too long");
		return false;
	}
	evbuffer_remove(input, line, (size_t)end.pos + ending);
	begin_phase(connection, PHASE_ANSWER);
	control_run_line(connection, line, (size_t)end.pos);
	return true;
}

/*
 * Runs lines until one needs time or its answer has to leave first. Ends the connection when
 * nothing is left to do; so the caller must not touch it afterwards.
 */
static void
process(struct control_connection *connection)
{
	while (connection->request == NULL && !has_output(connection) && !connection->closing)
		if (!take_line(connection))
			break;
	if (connection->request != NULL || has_output(connection))
		return;
	if (connection->closing || connection->ended) {
		control_connection_free(connection);
		return;
	}
	set_phase(connection, evbuffer_get_length(bufferevent_get_input(connection->stream)) > 0
				      ? PHASE_LINE
				      : PHASE_IDLE);
}

static void
on_stream(struct bufferevent *stream, void *context)
{
	(void)stream;
	process(context);
}

static void
on_stream_event(struct bufferevent *stream, short what, void *context)
{
	struct control_connection *connection = context;

	(void)stream;
	if ((what & BEV_EVENT_EOF) == 0) {
		control_connection_free(connection);
		return;
	}
	/* Half-closed, as by a script: what it has asked is still answered. */
	connection->ended = true;
	process(connection);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct control_connection *connection = context;

	(void)fd;
	(void)what;
	if (connection->phase != PHASE_LINE || connection->closing) {
		control_connection_free(connection);
		return;
	}
	control_connection_refuse(connection, "line too slow");
}

struct control_connection *
control_connection_new(struct control *control, struct event_base *base,
		       struct control_connections *list, int fd, enum control_access access)
{
	struct control_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->timer = evtimer_new(base, on_timer, connection);
	if (connection->timer != NULL)
		connection->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection->stream == NULL) {
		if (connection->timer != NULL)
			event_free(connection->timer);
		free(connection);
		return NULL;
	}
	connection->control = control;
	connection->list = list;
	connection->access = access;
	TAILQ_INSERT_TAIL(list, connection, link);
	bufferevent_setcb(connection->stream, on_stream, on_stream, on_stream_event, connection);
	bufferevent_setwatermark(connection->stream, EV_READ, 0, CONTROL_LINE_MAX + 1);
	bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
	set_phase(connection, PHASE_IDLE);
	if (access == CONTROL_NONE)
		control_connection_refuse(connection,
					  "permission denied: only root, the daemon's user and "
					  "members of control_group may connect");
	return connection;
}
