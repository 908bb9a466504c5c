/*
 * A generation's life: its channel, its slots, the order to fork.
 *
 * Runs in: front. Rule: a child's state changes in generation_change_state alone.
 */
#include "front/generation.h"

#include "base/log.h"
#include "base/msg.h"
#include "front/child_log.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/generation_parts.h"
#include "front/pool.h"
#include "front/sample.h"
#include "front/supervisor_link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void
generation_change_state(struct child *child, enum child_state state)
{
	struct generation *generation = child->generation;

	TAILQ_REMOVE(&generation->lists[child->state], child, link);
	generation->counts[child->state]--;
	child->state = state;
	generation->counts[state]++;
	TAILQ_INSERT_TAIL(&generation->lists[state], child, link);
}

void
generation_free_slot(struct child *child)
{
	sample_forget(child);
	if (child->fd >= 0)
		close(child->fd);
	child->fd = -1;
	if (child->kill_wanted)
		TAILQ_REMOVE(&child->generation->kills, child, kill_link);
	child->kill_wanted = false;
	child->killed = false;
	child->log_cut = false;
	child->log_bytes = 0;
	child->exchange = NULL;
	child->request = 0;
	child->done_ns = 0;
	child->pid = 0;
	generation_change_state(child, CHILD_FREE);
}

static void
say_attached(struct generation *generation)
{
	if (generation->attached_said || generation->counts[CHILD_PARKED] == 0)
		return;
	generation->attached_said = true;
	pool_on_attached(generation->pool, generation);
	supervisor_link_send_generation(MSG_ATTACHED, generation->pool->index, generation->number);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct generation *generation = argument;
	struct pool *pool = generation->pool;
	struct msg_buffer buffer;
	int got;

	(void)what;
	while ((got = msg_recv(fd, &buffer)) > 0)
		generation_dispatch_report(generation, &buffer);
	if (got == 0 || errno != EAGAIN) {
		log_event(LOG_WARNING, "zygote gone", "pool=%s generation=%u", pool->config->name,
			  generation->number);
		pool_on_generation_gone(pool, generation);
		return;
	}
	say_attached(generation);
	pool_on_ready(pool);
}

/* ---- life ---- */

static int
alloc_children(struct generation *generation)
{
	generation->children = calloc(generation->slots, sizeof(*generation->children));
	if (generation->children == NULL)
		return -1;
	for (uint32_t slot = 0; slot < generation->slots; slot++) {
		struct child *child = &generation->children[slot];
		child->generation = generation;
		child->slot = slot;
		child->fd = child->log_read_fd = child->log_write_fd = -1;
		TAILQ_INSERT_TAIL(&generation->lists[CHILD_FREE], child, link);
	}
	generation->counts[CHILD_FREE] = generation->slots;
	return 0;
}

struct generation *
generation_open(struct pool *pool, uint32_t number, int fd)
{
	struct event_base *base = pool->front->base;
	struct generation *generation = calloc(1, sizeof(*generation));

	if (generation == NULL) {
		close(fd);
		return NULL;
	}
	generation->pool = pool;
	generation->number = number;
	generation->slots = pool->config->max_children;
	generation->fd = fd;
	TAILQ_INIT(&generation->kills);
	for (int state = 0; state < CHILD_STATE_MAX; state++)
		TAILQ_INIT(&generation->lists[state]);
	if (alloc_children(generation) < 0) {
		free(generation);
		close(fd);
		return NULL;
	}
	event_assign(&generation->read_event, base, fd, EV_READ | EV_PERSIST, on_readable,
		     generation);
	event_assign(&generation->write_event, base, fd, EV_WRITE | EV_PERSIST,
		     generation_on_writable, generation);
	evtimer_assign(&generation->sweep_event, base, generation_on_sweep, generation);
	event_add(&generation->read_event, NULL);
	generation_flush_orders(generation);
	return generation;
}

void
generation_close(struct generation *generation)
{
	event_del(&generation->read_event);
	event_del(&generation->write_event);
	event_del(&generation->sweep_event);
	for (uint32_t slot = 0; slot < generation->slots; slot++) {
		struct child *child = &generation->children[slot];
		sample_forget(child);
		if (child->log_read_fd >= 0)
			child_log_drain(child);
		if (child->exchange != NULL)
			exchange_on_exit(child->exchange, NULL);
		if (child->fd >= 0)
			close(child->fd);
		child_log_close(child);
	}
	close(generation->fd);
	free(generation->children);
	free(generation);
}

/* Puts a freshly ordered child in its slot; the order's message is on its way. */
static void
start_child(struct child *child, int fd, uint64_t now)
{
	child->fd = fd;
	child->ordered_ns = now;
	child->pid = 0;
	generation_change_state(child, CHILD_STARTING);
}

static bool
prepare_child(struct generation *generation, struct child *child, struct msg_order *order, int *fds)
{
	int pair[2];

	if (child_log_open(child, generation->pool->config->output_bytes) < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	child->serial = ++generation->next_serial;
	child->fd = pair[0];
	fds[2 * (size_t)order->count] = pair[1];
	fds[2 * (size_t)order->count + 1] = child->log_write_fd;
	order->children[order->count++] =
		(struct msg_order_child){ .slot = child->slot, .serial = child->serial };
	return true;
}

unsigned
generation_order(struct generation *generation, unsigned count)
{
	struct msg_order order = { .epoch = generation->pool->front->heritage->epoch };
	struct child *prepared[PROTO_BATCH_MAX];
	int fds[MSG_FDS_MAX];
	struct child *child;
	bool sent;

	if (generation->state != GENERATION_SERVING)
		return 0;
	msg_init(&order, MSG_ORDER_FORK);
	TAILQ_FOREACH (child, &generation->lists[CHILD_FREE], link) {
		if (order.count == count || order.count == PROTO_BATCH_MAX)
			break;
		prepared[order.count] = child;
		if (!prepare_child(generation, child, &order, fds))
			break;
	}
	if (order.count == 0)
		return 0;
	sent = msg_send(generation->fd, &order, fds, 2 * order.count) == 0;
	for (uint32_t i = 0; i < order.count; i++) {
		close(fds[2 * (size_t)i]);
		if (sent) {
			start_child(prepared[i], prepared[i]->fd, front_now_ns());
		} else {
			close(prepared[i]->fd);
			prepared[i]->fd = -1;
		}
	}
	return sent ? order.count : 0;
}

struct child *
generation_take(struct generation *generation, struct exchange *exchange)
{
	struct child *child = TAILQ_FIRST(&generation->lists[CHILD_PARKED]);
	const struct pool *pool = generation->pool;

	if (child == NULL && fork_pause_is_over(&generation->pause, front_now_ns()))
		child = TAILQ_FIRST(&generation->lists[CHILD_STARTING]);
	if (child == NULL || generation->state != GENERATION_SERVING)
		return NULL;
	child->exchange = exchange;
	child->taken_ns = front_now_ns();
	generation_change_state(child, CHILD_BUSY);
	if (recycle_watch_add_request(&generation->watch, pool->config->recycle_requests))
		generation_want_recycle(generation, RECYCLE_REQUESTS);
	return child;
}

void
generation_drain(struct generation *generation)
{
	struct child *child;

	generation->state = GENERATION_DRAINING;
	while ((child = TAILQ_FIRST(&generation->lists[CHILD_PARKED])) != NULL ||
	       (child = TAILQ_FIRST(&generation->lists[CHILD_STARTING])) != NULL)
		generation_kill(child);
}

unsigned
generation_children(const struct generation *generation)
{
	return generation->slots - generation->counts[CHILD_FREE];
}

bool
generation_is_empty(const struct generation *generation)
{
	return generation_children(generation) == 0;
}

void
generation_want_recycle(struct generation *generation, enum recycle_reason reason)
{
	const struct pool *pool = generation->pool;

	if (!generation->recycle_said && generation == pool->current)
		generation->recycle_said =
			supervisor_link_send_recycle(pool->index, generation->number, reason);
}
