/*
 * Reports, in batches. An exit that cannot be told yet keeps its slot, so the table is the only
 * queue there is.
 *
 * Runs in: zygote. A child's start is told before its end, and a reset after both: fronts rely on
 * it.
 */
#include "reports.h"

#include "children.h"
#include "failure.h"
#include "probe.h"

#include <errno.h>
#include <unistd.h>

/*
 * Whether it has left. Out of memory is met like a full channel: by trying again later. ETOOMANYREFS is left to the caller:
 * the kernel counts the descriptors on their way by user, whoever else that is (unix(7)), against the sender's limit.
 */
static bool
send_report(int fd, const void *message, const int *fds, unsigned fds_count)
{
	if (msg_send(fd, message, fds, fds_count) == 0)
		return true;
	if (errno == EPIPE || errno == ECONNRESET)
		_exit(ZY_EXIT_OK);
	if (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM && errno != ETOOMANYREFS)
		zygote_fail(ZY_EXIT_ORDERS, errno, "report");
	return false;
}

static bool
flush_forked(struct front *front)
{
	if (front->forked.count == 0)
		return true;
	msg_init(&front->forked, MSG_REPORT_FORKED);
	front->forked.epoch = front->epoch;
	if (!send_report(front->fd, &front->forked, NULL, 0))
		return false;
	front->forked.count = 0;
	return true;
}

static bool
flush_exited(struct children *children, struct front *front)
{
	struct msg_report_exited *report = &children->exited;

	while (front->exited_first != NULL) {
		msg_init(report, MSG_REPORT_EXITED);
		report->epoch = front->epoch;
		report->count = 0;
		for (const struct slot *slot = front->exited_first;
		     slot != NULL && report->count < PROTO_BATCH_MAX; slot = slot->next_exited)
			report->children[report->count++] = slot->exit;
		if (!send_report(front->fd, report, NULL, 0))
			return false;
		for (uint32_t i = 0; i < report->count; i++)
			children_pop_exited(front);
	}
	return true;
}

static void
flush_reset(struct front *front)
{
	struct msg_epoch report = { .epoch = front->epoch };

	if (!front->is_reset_due)
		return;
	msg_init(&report, MSG_REPORT_RESET);
	if (send_report(front->fd, &report, NULL, 0))
		front->is_reset_due = false;
}

/* When there is no room the answer is missing, which costs a round and nothing else. */
void
reports_send_health(const struct children *children)
{
	const struct msg_cookie *question = (const struct msg_cookie *)children->message.bytes;
	struct msg_healthy answer = { .cookie = question->cookie, .zygote = children->index };

	msg_init(&answer, MSG_HEALTHY);
	(void)send_report(ZYGOTE_SUPERVISOR_FD, &answer, NULL, 0);
}

/* A probe that cannot be passed on is of no use: then that is the answer. */
static void
flush_probe(struct probe *probe)
{
	if (!probe->is_due)
		return;
	if (send_report(ZYGOTE_SUPERVISOR_FD, &probe->answer, &probe->pidfd,
			probe->answer.error == 0 ? 1 : 0)) {
		probe->is_due = false;
	} else if (errno == ETOOMANYREFS) {
		probe_end(probe);
		probe->answer.error = ETOOMANYREFS;
		probe->is_due = true;
	}
}

/*
 * The child may have died, and its slot have a successor, since it was ordered. A sample that cannot be passed on is lost.
 */
static void
flush_held(struct held *held)
{
	if (!held->is_due)
		return;
	if (held->slot->state != SLOT_ALIVE || held->slot->serial != held->message.serial ||
	    send_report(ZYGOTE_SUPERVISOR_FD, &held->message, &held->slot->pidfd, 1) ||
	    errno == ETOOMANYREFS)
		held->is_due = false;
}

void
reports_flush(struct children *children)
{
	for (uint32_t i = 0; i < children->fronts_count; i++) {
		struct front *front = &children->fronts[i];
		if (flush_forked(front) && flush_exited(children, front))
			flush_reset(front);
	}
	flush_probe(&children->probe);
	flush_held(&children->held);
}
