/*
 * From requests to lines of the access log.
 *
 * Runs in: front. A request costs two small allocations and no system call here. When there is no
 * memory its line is lost and counted, and the request goes on.
 */
#include "front/access_log.h"

#include "base/log.h"
#include "front/access_line.h"
#include "front/access_sink.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/pool.h"
#include "front/protocol_ops.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a line waits for the exit report of its child. */
#define EXIT_WAIT_NS 1000000000ull

/* The parts of a line that are made while the head of the request is there. */
struct access_note {
	uint32_t request_length;
	uint32_t client_length;
	char text[];
};

/* A line but for its end, tied to a child. */
struct access_wait {
	TAILQ_ENTRY(access_wait) link;
	struct child *child;
	uint64_t since_ns;
	size_t length;
	char text[];
};

struct access_log {
	enum access_format format;
	TAILQ_HEAD(, access_wait) waiting; /* the oldest first */
	struct access_sink sink;
};

void
access_log_open(struct front *front)
{
	if (!front->heritage->access_log)
		return;
	front->access_log = calloc(1, sizeof(*front->access_log));
	if (front->access_log == NULL)
		die("out of memory");
	front->access_log->format = (enum access_format)front->heritage->access_format;
	TAILQ_INIT(&front->access_log->waiting);
	access_sink_init(&front->access_log->sink, front->base);
}

void
access_log_set_fd(struct front *front, int fd)
{
	if (front->access_log == NULL)
		bug("no access log");
	access_sink_set_fd(&front->access_log->sink, fd);
}

uint64_t
access_log_lost(const struct front *front)
{
	return front->access_log != NULL ? front->access_log->sink.lost : 0;
}

/* ---- the beginning ---- */

static uint64_t
wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct access_request
describe_connection(const struct connection *connection)
{
	return (struct access_request){
		.begun_us = wall_us(),
		.id = connection->request_id,
		.peer = connection->peer_address,
		.listener = connection->listener->name,
	};
}

void
access_log_begin(struct exchange *exchange)
{
	const struct connection *connection = exchange->connection;
	struct access_log *log = connection->front->access_log;
	struct access_request request;
	struct text_line line;
	size_t request_length;
	char text[ACCESS_LINE_MAX];

	if (log == NULL)
		return;
	request = describe_connection(connection);
	connection->ops->tell_access(connection, &request);
	text_line_begin(&line, text, sizeof(text));
	access_line_put_request(&line, log->format, &request);
	request_length = line.length;
	access_line_put_client(&line, log->format, &request);
	exchange->access = malloc(sizeof(*exchange->access) + line.length);
	if (exchange->access == NULL)
		return;
	exchange->access->request_length = (uint32_t)request_length;
	exchange->access->client_length = (uint32_t)(line.length - request_length);
	memcpy(exchange->access->text, text, line.length);
}

void
access_log_forget(struct exchange *exchange)
{
	free(exchange->access);
	exchange->access = NULL;
}

/* ---- the end ---- */

static void
write_line(struct access_log *log, struct text_line *line, const struct access_child *child)
{
	access_line_end(line, log->format, child);
	if (line->cut)
		log->sink.lost++;
	else
		access_sink_put(&log->sink, line->data, line->length);
}

/* False: the line cannot wait, and is written without its end's figure. */
static bool
wait_for_exit(struct access_log *log, struct child *child, const struct text_line *line)
{
	struct access_wait *wait;

	if (log->format != ACCESS_JSON || child == NULL)
		return false;
	wait = malloc(sizeof(*wait) + line->length);
	if (wait == NULL)
		return false;
	*wait = (struct access_wait){ .child = child,
				      .since_ns = front_now_ns(),
				      .length = line->length };
	memcpy(wait->text, line->data, line->length);
	child->access = wait;
	TAILQ_INSERT_TAIL(&log->waiting, wait, link);
	return true;
}

static void
end_wait(struct access_log *log, struct access_wait *wait, uint64_t minor_faults)
{
	const struct access_child child = { wait->child->pid, wait->child->fork_us, minor_faults };
	struct text_line line;
	char text[ACCESS_LINE_MAX];

	text_line_begin(&line, text, sizeof(text));
	text_line_put(&line, wait->text, wait->length);
	write_line(log, &line, &child);
	wait->child->access = NULL;
	TAILQ_REMOVE(&log->waiting, wait, link);
	free(wait);
}

static struct access_result
describe_result(const struct exchange *exchange, enum outcome outcome)
{
	const uint64_t now = front_now_ns();
	const bool ran = exchange->taken_ns != 0;
	const struct pool *pool = exchange->pool;

	return (struct access_result){
		.outcome = outcome,
		.status = exchange->head_sent
				  ? exchange->status
				  : (unsigned)exchange_failure_status(exchange, outcome),
		.reason = exchange_failure_text(exchange, outcome),
		.pool = pool != NULL ? pool->config->name : NULL,
		.generation = ran ? exchange->served_by.generation : 0,
		.queue_us = ((ran ? exchange->taken_ns : now) - exchange->received_ns) / 1000,
		.run_us = ran ? (now - exchange->taken_ns) / 1000 : 0,
		.total_us = (now - exchange->received_ns) / 1000,
		.bytes_in = exchange->body_bytes,
		.bytes_out = exchange->reply_bytes,
	};
}

void
access_log_end(struct exchange *exchange, enum outcome outcome)
{
	struct access_log *log = exchange->connection->front->access_log;
	const struct access_note *note = exchange->access;
	struct access_child child = { 0, 0, ACCESS_FAULTS_UNKNOWN };
	struct access_result result;
	struct text_line line;
	char text[ACCESS_LINE_MAX];

	if (log == NULL)
		return;
	if (note == NULL) {
		log->sink.lost++;
		return;
	}
	result = describe_result(exchange, outcome);
	text_line_begin(&line, text, sizeof(text));
	text_line_put(&line, note->text, note->request_length);
	access_line_put_result(&line, log->format, &result);
	text_line_put(&line, note->text + note->request_length, note->client_length);
	access_log_forget(exchange);
	if (wait_for_exit(log, exchange->child, &line))
		return;
	if (exchange->taken_ns != 0) {
		child.pid = exchange->served_by.pid;
		child.fork_us = exchange->served_by.fork_us;
	}
	if (exchange->exit_known && exchange->exit.minor_faults > 0)
		child.minor_faults = exchange->exit.minor_faults;
	write_line(log, &line, &child);
}

void
access_log_refused(struct connection *connection, enum outcome outcome, int status,
		   const char *reason)
{
	struct access_log *log = connection->front->access_log;
	struct access_request request;
	struct text_line line;
	char text[ACCESS_LINE_MAX];
	const struct access_result result = {
		.outcome = outcome,
		.status = (unsigned)(status != 0 ? status : proto_outcome_status(outcome)),
		.reason = reason,
	};

	if (log == NULL)
		return;
	request = describe_connection(connection);
	text_line_begin(&line, text, sizeof(text));
	access_line_put_request(&line, log->format, &request);
	access_line_put_result(&line, log->format, &result);
	access_line_put_client(&line, log->format, &request);
	write_line(log, &line, &(struct access_child){ .minor_faults = ACCESS_FAULTS_UNKNOWN });
}

/* ---- what waits ---- */

void
access_log_on_exit(struct child *child, uint64_t minor_faults)
{
	if (child->access != NULL)
		end_wait(child->generation->pool->front->access_log, child->access, minor_faults);
}

/* Writes the lines that have waited since then, or for longer. */
static void
end_waits(struct access_log *log, uint64_t since_ns)
{
	struct access_wait *wait = TAILQ_FIRST(&log->waiting);

	while (wait != NULL && wait->since_ns <= since_ns) {
		struct access_wait *next = TAILQ_NEXT(wait, link);
		end_wait(log, wait, ACCESS_FAULTS_UNKNOWN);
		wait = next;
	}
}

void
access_log_tick(struct front *front)
{
	if (front->access_log != NULL)
		end_waits(front->access_log, front_now_ns() - EXIT_WAIT_NS);
}

void
access_log_finish(struct front *front)
{
	if (front->access_log == NULL)
		return;
	end_waits(front->access_log, UINT64_MAX);
	access_sink_flush(&front->access_log->sink);
}
