/*
 * A generation's life: its channels, its slots, the order to fork.
 *
 * Runs in: front. Rule: a child's state changes in generation_change_state alone.
 */
#include "front/generation.h"

#include "base/log.h"
#include "base/msg.h"
#include "front/access_line.h"
#include "front/access_log.h"
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

static struct child_list *
list_of(struct child *child)
{
	return child->state == CHILD_FREE ? &child->lane->free
					  : &child->generation->lists[child->state];
}

void
generation_change_state(struct child *child, enum child_state state)
{
	struct generation *generation = child->generation;

	TAILQ_REMOVE(list_of(child), child, link);
	generation->counts[child->state]--;
	child->state = state;
	generation->counts[state]++;
	TAILQ_INSERT_TAIL(list_of(child), child, link);
}

void
generation_free_slot(struct child *child)
{
	sample_forget(child);
	if (child->fd >= 0)
		close(child->fd);
	child->fd = -1;
	if (child->kill_wanted)
		TAILQ_REMOVE(&child->lane->kills, child, kill_link);
	child->kill_wanted = false;
	child->killed = false;
	child->log_cut = false;
	child->log_bytes = 0;
	child->exchange = NULL;
	child->request = 0;
	child->done_ns = 0;
	child->request_id[0] = '\0';
	child->pid = 0;
	generation_change_state(child, CHILD_FREE);
}

static void
say_attached(struct generation *generation)
{
	if (generation->attached_said || generation->counts[CHILD_PARKED] == 0)
		return;
	if (generation->is_held) {
		if (!generation->held_said)
			supervisor_link_send_generation(MSG_HELD, generation->pool->index,
							generation->number);
		generation->held_said = true;
		return;
	}
	generation->attached_said = true;
	pool_on_attached(generation->pool, generation);
	supervisor_link_send_generation(MSG_ATTACHED, generation->pool->index, generation->number);
}

void
generation_release(struct generation *generation)
{
	generation->is_held = false;
	say_attached(generation);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct lane *lane = argument;
	struct generation *generation = lane->generation;
	struct pool *pool = generation->pool;
	struct msg_buffer buffer;
	int got;

	(void)what;
	while ((got = msg_recv(fd, &buffer)) > 0)
		generation_dispatch_report(lane, &buffer);
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
		child->lane = &generation->lanes[slot % generation->lanes_count];
		child->slot = slot;
		child->fd = child->log_read_fd = child->log_write_fd = -1;
		TAILQ_INSERT_TAIL(&child->lane->free, child, link);
	}
	generation->counts[CHILD_FREE] = generation->slots;
	return 0;
}

static void
open_lane(struct generation *generation, int fd)
{
	struct event_base *base = generation->pool->front->base;
	struct lane *lane = &generation->lanes[generation->lanes_count++];

	lane->generation = generation;
	lane->fd = fd;
	TAILQ_INIT(&lane->free);
	TAILQ_INIT(&lane->kills);
	event_assign(&lane->read_event, base, fd, EV_READ | EV_PERSIST, on_readable, lane);
	event_assign(&lane->write_event, base, fd, EV_WRITE | EV_PERSIST, generation_on_writable,
		     lane);
}

static void
close_lane(struct lane *lane)
{
	event_del(&lane->read_event);
	event_del(&lane->write_event);
	close(lane->fd);
}

static struct generation *
generation_new(struct pool *pool, const struct msg_attach *attach, const int *fds,
	       unsigned fds_count)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	if (generation == NULL)
		return NULL;
	generation->pool = pool;
	generation->number = attach->generation;
	generation->is_held = attach->is_held != 0;
	generation->slots = attach->max_children;
	for (int state = 0; state < CHILD_STATE_MAX; state++)
		TAILQ_INIT(&generation->lists[state]);
	for (unsigned i = 0; i < fds_count; i++)
		open_lane(generation, fds[i]);
	/* Fronts begin with different ones. */
	generation->next_lane = pool->front->heritage->front;
	if (alloc_children(generation) == 0)
		return generation;
	free(generation);
	return NULL;
}

struct generation *
generation_open(struct pool *pool, const struct msg_attach *attach, const int *fds,
		unsigned fds_count)
{
	struct generation *generation = generation_new(pool, attach, fds, fds_count);

	if (generation == NULL) {
		for (unsigned i = 0; i < fds_count; i++)
			close(fds[i]);
		return NULL;
	}
	evtimer_assign(&generation->sweep_event, pool->front->base, generation_on_sweep,
		       generation);
	for (unsigned i = 0; i < generation->lanes_count; i++) {
		event_add(&generation->lanes[i].read_event, NULL);
		generation_flush_orders(&generation->lanes[i]);
	}
	return generation;
}

void
generation_close(struct generation *generation)
{
	event_del(&generation->sweep_event);
	for (uint32_t slot = 0; slot < generation->slots; slot++) {
		struct child *child = &generation->children[slot];
		sample_forget(child);
		if (child->log_read_fd >= 0)
			child_log_drain(child);
		if (child->exchange != NULL)
			exchange_on_exit(child->exchange, NULL);
		access_log_on_exit(child, ACCESS_FAULTS_UNKNOWN);
		if (child->fd >= 0)
			close(child->fd);
		child_log_close(child);
	}
	for (unsigned i = 0; i < generation->lanes_count; i++)
		close_lane(&generation->lanes[i]);
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
	child->lane->awaited++;
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
	child->prefaults = prefault_order(generation);
	child->table = generation->prefault.version;
	order->children[order->count++] =
		(struct msg_order_child){ .slot = child->slot,
					  .flags = child->prefaults ? ORDER_PREFAULT : 0,
					  .serial = child->serial };
	return true;
}

/* The one that has to fork the fewest, of equals the one whose turn it is; NULL when no slot is free. */
static struct lane *
choose_lane(struct generation *generation)
{
	struct lane *chosen = NULL;

	for (unsigned i = 0; i < generation->lanes_count; i++) {
		struct lane *lane =
			&generation->lanes[(generation->next_lane + i) % generation->lanes_count];
		if (!TAILQ_EMPTY(&lane->free) &&
		    (chosen == NULL || lane->awaited < chosen->awaited))
			chosen = lane;
	}
	if (chosen != NULL)
		generation->next_lane = (unsigned)(chosen - generation->lanes) + 1;
	return chosen;
}

/* One message's worth. */
static unsigned
order_from(struct lane *lane, unsigned count)
{
	struct generation *generation = lane->generation;
	struct msg_order order = { .epoch = generation->pool->front->heritage->epoch };
	struct child *prepared[PROTO_BATCH_MAX];
	int fds[MSG_FDS_MAX];
	struct child *child;
	bool sent;

	msg_init(&order, MSG_ORDER_FORK);
	TAILQ_FOREACH (child, &lane->free, link) {
		if (order.count == count || order.count == PROTO_BATCH_MAX)
			break;
		prepared[order.count] = child;
		if (!prepare_child(generation, child, &order, fds))
			break;
	}
	if (order.count == 0)
		return 0;
	sent = msg_send(lane->fd, &order, fds, 2 * order.count) == 0;
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

unsigned
generation_order(struct generation *generation, unsigned count)
{
	const unsigned part = (count + generation->lanes_count - 1) / generation->lanes_count;
	unsigned ordered = 0;

	while (generation->state == GENERATION_SERVING && ordered < count) {
		struct lane *lane = choose_lane(generation);
		const unsigned left = count - ordered;
		const unsigned sent =
			lane != NULL ? order_from(lane, left < part ? left : part) : 0;
		if (sent == 0)
			break;
		ordered += sent;
	}
	return ordered;
}

unsigned
generation_forking(const struct generation *generation)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < generation->lanes_count; i++)
		sum += generation->lanes[i].awaited;
	return sum;
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
