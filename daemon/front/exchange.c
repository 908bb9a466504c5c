/*
 * How requests end: outcomes, the tie to the child, deadlines. Starting is in exchange_start.c,
 * bodies are in exchange_body.c, replies in exchange_reply.c.
 *
 * Runs in: front. Rule: every path out of an exchange goes through finish(), which counts the
 * outcome once and ends the tie to the child; the child gets one request and is never given back.
 */
#include "front/exchange.h"

#include "base/log.h"
#include "front/access_log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/gather.h"
#include "front/pool.h"
#include "front/protocol_ops.h"
#include "front/response.h"
#include "front/sample.h"
#include "front/source.h"

#include <signal.h>
#include <unistd.h>

void
exchange_release_child(struct exchange *exchange, bool kill)
{
	if (exchange->child_fd >= 0) {
		event_del(&exchange->child_read);
		event_del(&exchange->child_write);
		if (kill || !sample_hold(exchange))
			close(exchange->child_fd);
		exchange->child_fd = -1;
	}
	if (exchange->child != NULL) {
		struct child *child = exchange->child;
		exchange->child = NULL;
		generation_finish(child);
		if (kill)
			generation_kill(child);
	}
	if (exchange->to_child != NULL)
		evbuffer_drain(exchange->to_child, evbuffer_get_length(exchange->to_child));
	if (exchange->partial != NULL)
		evbuffer_drain(exchange->partial, evbuffer_get_length(exchange->partial));
}

static void
count_run(struct pool *pool, uint64_t run_us)
{
	histogram_count(&pool->times.times[POOL_TIME_RUN], run_us);
	pool->stats.run_us += run_us;
	if (run_us > pool->stats.run_us_max)
		pool->stats.run_us_max = run_us;
}

static void
count(struct exchange *exchange, enum outcome outcome)
{
	struct front *front = exchange->connection->front;
	struct pool *pool = exchange->pool;

	source_charge(front, &exchange->connection->source, penalty_outcome_points(outcome));
	if (pool == NULL) {
		front_count_outcome(front, outcome);
		return;
	}
	pool_count_outcome(pool, outcome, exchange->probe);
	pool->stats.bytes_in += exchange->body_bytes;
	pool->stats.bytes_out += exchange->reply_bytes;
	if (outcome == OUTCOME_OK)
		pool->times.ok_codes[exchange->status / 100]++;
	if (exchange->taken_ns != 0)
		count_run(pool, (front_now_ns() - exchange->taken_ns) / 1000);
}

static void
finish(struct exchange *exchange, enum outcome outcome, bool kill)
{
	struct connection *connection = exchange->connection;

	if (exchange->state == EXCHANGE_QUEUED)
		pool_withdraw(exchange->pool, exchange);
	if (exchange->head_pending)
		evbuffer_drain(connection->in, exchange->head_bytes);
	exchange->head_pending = false;
	exchange->state = EXCHANGE_NONE;
	connection->front->active_count--;
	access_log_end(exchange, outcome);
	exchange_release_child(exchange, kill);
	gather_drop(exchange);
	count(exchange, outcome);
}

void
exchange_abandon(struct exchange *exchange, enum outcome outcome)
{
	finish(exchange, outcome, true);
}

static unsigned
retry_after(const struct exchange *exchange, enum outcome outcome)
{
	if (outcome == OUTCOME_PENALTY)
		return exchange->retry_after;
	if (proto_outcome_status(outcome) != 503 || exchange->pool == NULL)
		return 0;
	return pool_retry_after(exchange->pool, outcome);
}

static bool
is_bad_chunk(const struct exchange *exchange, enum outcome outcome)
{
	return outcome == OUTCOME_BAD_REQUEST && exchange->chunked_body &&
	       exchange->chunked.status != 0;
}

int
exchange_failure_status(const struct exchange *exchange, enum outcome outcome)
{
	return is_bad_chunk(exchange, outcome) ? exchange->chunked.status
					       : proto_outcome_status(outcome);
}

const char *
exchange_failure_text(const struct exchange *exchange, enum outcome outcome)
{
	return is_bad_chunk(exchange, outcome) ? exchange->chunked.reason
					       : proto_outcome_text(outcome);
}

void
exchange_fail(struct exchange *exchange, enum outcome outcome)
{
	struct connection *connection = exchange->connection;
	const bool head_sent = exchange->head_sent;
	struct response_error error = { .outcome = outcome,
					.status = exchange_failure_status(exchange, outcome),
					.text = exchange_failure_text(exchange, outcome),
					.retry_after = retry_after(exchange, outcome),
					.minor = exchange->minor,
					.request_id = connection->request_id,
					.head_method = exchange->head_method };

	finish(exchange, outcome, true);
	if (head_sent || outcome == OUTCOME_CLIENT_SLOW) {
		connection_reset(connection);
		return;
	}
	error.keep_alive = exchange->keep_alive && exchange->body_done &&
			   !connection->close_after && !connection->leaving;
	connection->close_after = !error.keep_alive;
	if (connection->ops->add_error(connection->out, &error) < 0)
		connection_close(connection);
	else
		connection_on_exchange_end(connection);
}

void
exchange_complete(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;

	if (!exchange->body_done || !exchange->keep_alive)
		connection->close_after = true;
	finish(exchange, OUTCOME_OK, false);
	connection_on_exchange_end(connection);
}

/* Why the child hung up before its answer was complete. */
static enum outcome
classify(const struct child_exit *ended)
{
	if (ended->by_signal && ended->code == SIGXCPU)
		return OUTCOME_CPU_LIMIT;
	if (ended->by_signal && ended->code == SIGSYS)
		return OUTCOME_SANDBOX;
	if (!ended->by_signal && ended->code >= ZY_EXIT_SANDBOX)
		return OUTCOME_SANDBOX;
	if (!ended->by_signal && ended->code == ZY_EXIT_WORKER)
		return OUTCOME_WORKER_ERROR;
	return OUTCOME_CRASHED;
}

void
exchange_on_exit(struct exchange *exchange, const struct child_exit *ended)
{
	exchange->child = NULL;
	exchange->exit_known = true;
	exchange->exit =
		ended != NULL ? *ended : (struct child_exit){ .code = SIGKILL, .by_signal = true };
	if (exchange->state != EXCHANGE_EXIT_WAIT)
		return; /* its last words are still in the socket */
	exchange_fail(exchange, classify(&exchange->exit));
	connection_update(exchange->connection);
}

void
exchange_on_forked(struct exchange *exchange, const struct child *child)
{
	exchange->served_by.pid = child->pid;
	exchange->served_by.fork_us = child->fork_us;
}

void
exchange_on_fork_failed(struct exchange *exchange)
{
	exchange->child = NULL;
	exchange_fail(exchange, OUTCOME_FORK_FAILED);
	connection_update(exchange->connection);
}

void
exchange_on_timeout(struct exchange *exchange)
{
	switch (exchange->state) {
	case EXCHANGE_QUEUED:
		exchange_fail(exchange, pool_queue_outcome(exchange->pool));
		break;
	case EXCHANGE_RUNNING:
		exchange_fail(exchange, OUTCOME_TIMEOUT);
		break;
	case EXCHANGE_EXIT_WAIT:
		exchange_fail(exchange, OUTCOME_CRASHED);
		break;
	default:
		bug("timeout without an exchange");
	}
}

void
exchange_on_input(struct exchange *exchange)
{
	if (exchange->state == EXCHANGE_RUNNING)
		exchange_body_pump(exchange);
}

void
exchange_fini(struct exchange *exchange)
{
	access_log_forget(exchange);
	if (exchange->to_child != NULL)
		evbuffer_free(exchange->to_child);
	if (exchange->partial != NULL)
		evbuffer_free(exchange->partial);
	if (exchange->gathered != NULL)
		evbuffer_free(exchange->gathered);
}
