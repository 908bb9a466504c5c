/*
 * The loop: one message of each channel per round, then the dead, then what is to be told.
 *
 * Runs in: zygote. Trusts the supervisor. A front is trusted to be of the same build and no
 * further: every order is checked against the table before it has an effect. An impossible order
 * means that the two sides disagree about which child is whose, and from then on one client's child
 * could be taken for another's. Ignoring it would leave that in place, and a front that has lost
 * count waits for ever; so the zygote ends, all its children with it, and the supervisor starts
 * afresh with a log line. A front in wrong hands gains nothing by it: it can refuse service anyway.
 *
 * The rule: no allocation, no log line, and no write outside the table, or pages that all children
 * share get copied.
 */
#include "orders.h"

#include "base/log.h"
#include "children.h"
#include "failure.h"
#include "probe.h"
#include "reports.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Rounds after which the dead are looked for although no signal came through, because there was
 * always work. */
#define ROUNDS_MAX 16

/* See reap(). */
#define REAP_INTERVAL_US 2000

static _Noreturn void
refuse(const char *why)
{
	zygote_fail(ZY_EXIT_ORDERS, 0, "malformed order: %s", why);
}

/* ---- orders of a front ---- */

static struct slot *
checked_slot(const struct children *children, const struct front *front, uint32_t number)
{
	if (number >= children->slots_count)
		refuse("slot out of range");
	struct slot *slot = children_slot(children, front, number);
	if (slot == NULL)
		refuse("slot of another zygote");
	return slot;
}

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
fork_one(struct children *children, struct front *front, const struct msg_order_child *order,
	 const int fds[2])
{
	struct slot *slot = checked_slot(children, front, order->slot);
	const uint64_t start_us = now_us();

	if (slot->state != SLOT_FREE)
		refuse("slot in use");
	int error = children_fork(children, slot, order, fds);
	front->forked.children[front->forked.count++] = (struct msg_forked_child){
		.slot = order->slot,
		.pid = error == 0 ? slot->pid : 0,
		.serial = order->serial,
		.error = error,
		.fork_us = (uint32_t)(now_us() - start_us),
	};
}

static void
on_fork(struct children *children, struct front *front)
{
	const struct msg_order *order = (const struct msg_order *)children->message.bytes;

	if (order->epoch != front->epoch || front->epoch == 0)
		return;
	if (order->count == 0 || order->count > PROTO_BATCH_MAX ||
	    children->message.fds_count != 2 * order->count)
		refuse("count");
	for (uint32_t i = 0; i < order->count; i++)
		fork_one(children, front, &order->children[i],
			 &children->message.fds[2 * (size_t)i]);
}

/* A child that has died meanwhile, or whose slot has a successor, is not an error: its report is on
 * the way. */
static void
on_kill(struct children *children, struct front *front)
{
	const struct msg_order *order = (const struct msg_order *)children->message.bytes;

	if (order->epoch != front->epoch || front->epoch == 0)
		return;
	if (order->count == 0 || order->count > PROTO_BATCH_MAX)
		refuse("count");
	for (uint32_t i = 0; i < order->count; i++) {
		const struct slot *slot = checked_slot(children, front, order->children[i].slot);
		if (slot->state == SLOT_ALIVE && slot->serial == order->children[i].serial)
			children_kill(slot);
	}
}

/*
 * Only the supervisor can look, and only by pidfd can it be sure of the child. One that has died meanwhile, or comes while
 * another one waits for room in the channel, is a sample lost: the front lets it go after a while.
 */
static void
on_sample(struct children *children, const struct front *front)
{
	const struct msg_sample *order = (const struct msg_sample *)children->message.bytes;
	struct held *held = &children->held;

	if (order->epoch != front->epoch || front->epoch == 0 || held->is_due)
		return;
	held->slot = checked_slot(children, front, order->slot);
	held->message = *order;
	held->message.front = (uint32_t)(front - children->fronts);
	msg_init(&held->message, MSG_SAMPLE);
	held->is_due = held->slot->state == SLOT_ALIVE && held->slot->serial == order->serial;
}

static void
on_front_message(struct children *children, struct front *front)
{
	const struct msg_header *header = (const struct msg_header *)children->message.bytes;

	switch (header->type) {
	case MSG_ORDER_FORK:
		on_fork(children, front);
		break;
	case MSG_ORDER_KILL:
		on_kill(children, front);
		break;
	case MSG_ORDER_SAMPLE:
		on_sample(children, front);
		break;
	case MSG_HEALTH: /* the supervisor's, by the front's end of the channel */
		reports_send_health(children);
		break;
	case MSG_ORDER_RESET:
		children_reset(children, front, ((const struct msg_epoch *)header)->epoch);
		break;
	default:
		refuse("type");
	}
}

/* ---- requests of the supervisor ---- */

static void
on_supervisor_message(struct children *children)
{
	const struct msg_header *header = (const struct msg_header *)children->message.bytes;

	switch (header->type) {
	case MSG_PROBE:
		probe_start(children, ((const struct msg_cookie *)header)->cookie);
		break;
	case MSG_PROBE_END:
		probe_end(&children->probe);
		break;
	case MSG_HEALTH:
		reports_send_health(children);
		break;
	case MSG_LOG_LEVEL:
		log_set_level((enum log_level)((const struct msg_log_level *)header)->level);
		break;
	default:
		refuse("type");
	}
}

/* ---- the loop ---- */

/* Whether a message is there. Ends the zygote when the channel does: only the supervisor's death
 * closes one. */
static bool
receive(struct children *children, const struct pollfd *poll)
{
	if (poll->revents == 0 || (poll->revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return false;
	int result = msg_recv(poll->fd, &children->message);
	if (result > 0)
		return true;
	if (result == 0 || errno == ECONNRESET)
		_exit(ZY_EXIT_OK);
	if (errno == EPROTO)
		refuse("shape");
	return false;
}

static void
take_messages(struct children *children)
{
	if (receive(children, &children->polls[0])) {
		on_supervisor_message(children);
		msg_close_fds(&children->message);
	}
	for (uint32_t i = 0; i < children->fronts_count; i++) {
		if (!receive(children, &children->polls[1 + i]))
			continue;
		on_front_message(children, &children->fronts[i]);
		msg_close_fds(&children->message);
	}
}

/* While reports wait for room, or children for their end, a front's further orders wait in its
 * channel. */
static short
events_of(const struct front *front)
{
	if (front->is_resetting)
		return 0;
	if (front->forked.count > 0 || front->is_reset_due)
		return POLLOUT;
	return front->exited_first != NULL ? POLLIN | POLLOUT : POLLIN;
}

static void
fill_polls(struct children *children)
{
	/* What the supervisor asks is for the first zygote alone; its death ends the others. */
	const bool is_first = children->index == 0;
	const bool has_news = children->probe.is_due || children->held.is_due;

	children->polls[0].fd = is_first || has_news ? ZYGOTE_SUPERVISOR_FD : -1;
	children->polls[0].events = (short)((is_first ? POLLIN : 0) | (has_news ? POLLOUT : 0));
	for (uint32_t i = 0; i < children->fronts_count; i++) {
		children->polls[1 + i].fd = children->fronts[i].fd;
		children->polls[1 + i].events = events_of(&children->fronts[i]);
	}
}

/*
 * The dead are collected at once after a quiet time, but under load every REAP_INTERVAL_US only: each wake-up costs about as
 * much as a page fault or two, and the reports of several children travel together. The interval bounds how late a
 * crash is reported.
 */
static void
reap(struct children *children)
{
	children->reap_due_us = children_reap(children) > 0 ? now_us() + REAP_INTERVAL_US : 0;
}

/* Waits for messages, and for SIGCHLD or the end of the interval. What ppoll returns. */
static int
wait_for_work(struct children *children)
{
	struct timespec timeout = { 0, 0 };
	sigset_t mask;

	sigemptyset(&mask);
	if (children->reap_due_us == 0)
		return ppoll(children->polls, 1 + children->fronts_count, NULL, &mask);
	const uint64_t now = now_us();
	if (children->reap_due_us > now)
		timeout.tv_nsec = (long)(children->reap_due_us - now) * 1000;
	sigaddset(&mask, SIGCHLD);
	return ppoll(children->polls, 1 + children->fronts_count, &timeout, &mask);
}

void
orders_run(struct children *children)
{
	for (;;) {
		fill_polls(children);
		int ready = wait_for_work(children);
		if (ready < 0 && errno != EINTR && errno != ENOMEM)
			zygote_fail(ZY_EXIT_ORDERS, errno, "ppoll");
		if (ready > 0)
			take_messages(children);
		if (ready <= 0 ||
		    (children->reap_due_us != 0 && now_us() >= children->reap_due_us) ||
		    ++children->rounds >= ROUNDS_MAX) {
			children->rounds = 0;
			reap(children);
		}
		reports_flush(children);
	}
}
