/*
 * Orders children of a running zygote and does nothing else with them: how fast can this zygote's
 * image be forked, locked down, ended and reaped at all? No request can be served faster.
 *
 * It speaks the orders of base/proto.h over a front's own channel, which it takes from a process of
 * the daemon that has it open (pidfd_getfd(2): needs the right to trace that process; the front must
 * be stopped meanwhile). So zygote, image, filter and namespaces are the daemon's, none is imitated.
 * A child's channel has ended before it looks: it goes through the whole lock-down, touches what the
 * pool has learned that requests touch if it is told to, then leaves.
 *
 * Runs in: a process of its own, started by limit.py. Not part of the daemon.
 */
#include "base/msg.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS	   5000 /* no report for that long: the zygote is gone */
#define FLIGHT_MAX 64	/* children ordered and not yet reported as gone */

struct forker {
	int channel;
	uint32_t epoch;
	uint32_t batch;	  /* children per order */
	int dead_channel; /* what every child gets as its socket: the other end is closed */
	uint32_t free[PROTO_CHILDREN_MAX];
	uint32_t free_count;
	uint32_t slots;
	uint32_t flags; /* of orders */
	uint64_t serial;
	uint64_t exited;
	struct msg_buffer message;
};

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "forker: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void
fail_child(const struct msg_exited_child *child)
{
	fprintf(stderr, "forker: a child ended with %s %d (%s)\n",
		child->signal ? "signal" : "exit code", child->code,
		child->signal ? "killed" : proto_exit_text(child->code));
	exit(1);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int
take_channel(pid_t pid, int number)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		fail("pidfd_open");
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (fd < 0)
		fail("pidfd_getfd (it needs the right to trace the daemon)");
	close(pidfd);
	return fd;
}

static void
wait_for(int fd, short events)
{
	struct pollfd poll_fd = { fd, events, 0 };
	int ready;

	do
		ready = poll(&poll_fd, 1, WAIT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready <= 0)
		fail("waiting for the zygote");
}

static void
send_message(struct forker *forker, const void *message, const int *fds, unsigned fds_count)
{
	while (msg_send(forker->channel, message, fds, fds_count) < 0) {
		if (errno != EAGAIN)
			fail("sending an order");
		wait_for(forker->channel, POLLOUT);
	}
}

/* Whether another message was there; the other kinds of message are of no interest. */
static int
take_message(struct forker *forker)
{
	const struct msg_header *header = (const struct msg_header *)forker->message.bytes;
	const struct msg_report_exited *report = (const struct msg_report_exited *)header;
	int result = msg_recv(forker->channel, &forker->message);

	if (result < 0 && errno == EAGAIN)
		return 0;
	if (result <= 0)
		fail("the zygote's channel");
	if (header->type != MSG_REPORT_EXITED || report->epoch != forker->epoch)
		return 1;
	for (uint32_t i = 0; i < report->count; i++) {
		if (report->children[i].code != ZY_EXIT_OK || report->children[i].signal)
			fail_child(&report->children[i]);
		forker->free[forker->free_count++] = report->children[i].slot;
	}
	forker->exited += report->count;
	return 1;
}

/* From here on the zygote follows these orders alone; what the stopped front had is killed. */
static void
reset(struct forker *forker)
{
	const struct msg_epoch *epoch = (const struct msg_epoch *)forker->message.bytes;
	struct msg_epoch message = { .epoch = forker->epoch };

	msg_init(&message, MSG_ORDER_RESET);
	send_message(forker, &message, NULL, 0);
	for (;;) {
		int result = msg_recv(forker->channel, &forker->message);

		if (result == 0 || (result < 0 && errno != EAGAIN))
			fail("the zygote's channel");
		if (result > 0 && epoch->header.type == MSG_REPORT_RESET &&
		    epoch->epoch == forker->epoch)
			return;
		if (result < 0)
			wait_for(forker->channel, POLLIN);
	}
}

static void
order(struct forker *forker, int log_fd)
{
	struct msg_order message = { .epoch = forker->epoch, .count = forker->batch };
	int fds[MSG_FDS_MAX];

	msg_init(&message, MSG_ORDER_FORK);
	for (uint32_t i = 0; i < forker->batch; i++) {
		message.children[i].slot = forker->free[--forker->free_count];
		message.children[i].flags = forker->flags;
		message.children[i].serial = ++forker->serial;
		fds[2 * i] = forker->dead_channel;
		fds[2 * i + 1] = log_fd;
	}
	send_message(forker, &message, fds, 2 * forker->batch);
}

static void
open_pipe(int fds[2])
{
	if (pipe(fds) < 0)
		fail("pipe");
}

/* One child at a time: the next is ordered when the last has closed its log, which is its end. */
static void
run_single(struct forker *forker, double end)
{
	int log[2];

	while (now() < end) {
		while (forker->free_count == 0) {
			wait_for(forker->channel, POLLIN);
			take_message(forker);
		}
		open_pipe(log);
		order(forker, log[1]);
		close(log[1]);
		wait_for(log[0], POLLIN);
		close(log[0]);
		while (take_message(forker))
			;
	}
}

/* As many at once as the zygote takes: another batch whenever there is room for it. */
static void
run_batches(struct forker *forker, double end)
{
	int log[2];

	open_pipe(log);
	while (now() < end) {
		while (forker->free_count >= forker->batch)
			order(forker, log[1]);
		wait_for(forker->channel, POLLIN);
		while (take_message(forker))
			;
	}
}

static void
open_dead_channel(struct forker *forker)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fail("socketpair");
	close(pair[0]);
	forker->dead_channel = pair[1];
}

/* Every child that was ordered is waited for: the rate counts whole lives only. */
static double
measure(struct forker *forker, double seconds)
{
	const double start = now();

	if (forker->batch == 1)
		run_single(forker, start + seconds);
	else
		run_batches(forker, start + seconds);
	while (forker->free_count < forker->slots) {
		wait_for(forker->channel, POLLIN);
		take_message(forker);
	}
	return (double)forker->exited / (now() - start);
}

int
main(int argc, char **argv)
{
	static struct forker forker;

	const bool touches = argc == 6 && strcmp(argv[5], "touch") == 0;

	if (argc != 5 && !touches) {
		fprintf(stderr, "usage: forker PID FD BATCH SECONDS [touch]\n");
		return 1;
	}
	forker.flags = touches ? ORDER_PREFAULT : 0;
	forker.batch = (uint32_t)atoi(argv[3]);
	if (forker.batch < 1 || forker.batch > PROTO_BATCH_MAX) {
		fprintf(stderr, "forker: BATCH is 1 to %d\n", PROTO_BATCH_MAX);
		return 1;
	}
	forker.channel = take_channel(atoi(argv[1]), atoi(argv[2]));
	/* Fronts count their epochs from 1; a process id is far from these and new in each run. */
	forker.epoch = 0x40000000u + (uint32_t)getpid();
	forker.slots = FLIGHT_MAX;
	for (uint32_t i = 0; i < forker.slots; i++)
		forker.free[forker.free_count++] = i;
	open_dead_channel(&forker);
	reset(&forker);
	printf("%.1f\n", measure(&forker, atof(argv[4])));
	return 0;
}
