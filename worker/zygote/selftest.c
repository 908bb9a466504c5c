/*
 * Asking a child as the front would, before there is anything for a front to use.
 *
 * Runs in: zygote, between its filter and MSG_ZYGOTE_READY, on the loop's stack. The request is the configuration's, so the child
 * that answers it is no more hostile than load was; all the same nothing of the answer is kept but its status, and of an
 * error the text. The filter lets a zygote read and write where a child has its channel and nowhere else: so what
 * is talked to comes to that number, and the number is given back to /dev/null in the end.
 */
#include "selftest.h"

#include "base/log.h"
#include "base/msg.h"
#include "base/request_frame.h"
#include "child.h"
#include "failure.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_ROOM 4096
#define WORDS_SHOWN  120  /* of the worker's own */
#define OUTPUT_SHOWN 8192 /* of what the child printed */
#define LINE_SHOWN   400
#define PASSES_BELOW 500

/* How far the answer has come. */
struct answer {
	uint64_t deadline_ns;
	unsigned status; /* 0: no head yet */
	bool is_complete;
	char why[256]; /* it is not good; "" */
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
selftest_open(const struct heritage_zygote *heritage, struct selftest *test_out)
{
	int channel[2], output[2];

	*test_out = (struct selftest){ -1, -1, -1, -1 };
	if (heritage->selftest.method[0] == '\0')
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 ||
	    pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "descriptors of the self-test");
	*test_out = (struct selftest){ channel[0], channel[1], output[0], output[1] };
}

/* ---- the request ---- */

static void
add_fields(struct request_frame *frame, const struct heritage_zygote *heritage)
{
	const struct heritage_selftest *test = &heritage->selftest;
	const char *fields[ZY_FIELD_MAX] = {
		[ZY_METHOD] = test->method,
		[ZY_PATH] = test->path,
		[ZY_QUERY] = test->query,
		[ZY_ROUTE] = test->route,
		[ZY_REST] = test->path + strlen(test->route),
		[ZY_HOST] = "localhost",
		[ZY_PROTOCOL] = "HTTP/1.1",
		[ZY_SCHEME] = "http",
		[ZY_PEER_ADDRESS] = "127.0.0.1",
		[ZY_PEER_PORT] = "0",
		[ZY_REQUEST_ID] = "selftest",
		[ZY_POOL] = heritage->pool,
	};

	for (int i = 0; i < ZY_FIELD_MAX; i++)
		request_frame_add_field(frame, fields[i] != NULL ? fields[i] : "",
					fields[i] != NULL ? strlen(fields[i]) : 0);
	request_frame_add_header(frame, "host", 4, "localhost", 9);
}

/* With its end: there is no body. Its length, 0 when it cannot be made. */
static size_t
make_request(const struct heritage_zygote *heritage, uint64_t deadline_ns,
	     unsigned char data[REQUEST_ROOM])
{
	const struct frame_header end = { .type = FRAME_END };
	struct frame_request fixed = { .deadline_ns = deadline_ns };
	struct request_frame frame;

	if (getrandom(fixed.seed, sizeof(fixed.seed), 0) != (ssize_t)sizeof(fixed.seed))
		return 0;
	request_frame_begin(&frame, data, REQUEST_ROOM - sizeof(end));
	add_fields(&frame, heritage);
	const size_t length = request_frame_end(&frame, &fixed);
	if (length == 0)
		return 0;
	memcpy(data + length, &end, sizeof(end));
	return length + sizeof(end);
}

/* ---- the answer ---- */

static bool
refuse(struct answer *answer, const char *why)
{
	snprintf(answer->why, sizeof(answer->why), "%s", why);
	return false;
}

/* Whether something, or the end, is there to be read before the deadline. */
static bool
wait_readable(int fd, uint64_t deadline_ns)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	for (;;) {
		const uint64_t now = now_ns();
		const uint64_t left_ms = now < deadline_ns ? (deadline_ns - now) / 1000000 + 1 : 0;
		const int ready = poll(&poll_fd, 1, (int)left_ms);
		if (ready > 0)
			return true;
		if (ready == 0 && left_ms == 0)
			return false;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}

static bool
read_all(struct answer *answer, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		if (!wait_readable(CHILD_CHANNEL_FD, answer->deadline_ns))
			return refuse(answer, "no complete answer in time");
		const ssize_t count = read(CHILD_CHANNEL_FD, (char *)data + done, size - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return refuse(answer, "the child ended before its answer was complete");
		done += (size_t)count;
	}
	return true;
}

static bool
skip(struct answer *answer, size_t size)
{
	char bytes[1024];

	while (size > 0) {
		const size_t part = size < sizeof(bytes) ? size : sizeof(bytes);
		if (!read_all(answer, bytes, part))
			return false;
		size -= part;
	}
	return true;
}

static bool
take_head(struct answer *answer, uint32_t length)
{
	struct frame_reply head;

	if (answer->status != 0 || length < sizeof(head) || length > FRAME_HEAD_MAX)
		return refuse(answer, "the child's reply was malformed");
	if (!read_all(answer, &head, sizeof(head)) || !skip(answer, length - sizeof(head)))
		return false;
	answer->status = head.status;
	return true;
}

static bool
take_error(struct answer *answer, uint32_t length)
{
	char text[WORDS_SHOWN + 1] = "";
	const size_t shown = length < WORDS_SHOWN ? length : WORDS_SHOWN;

	if (length > FRAME_ERROR_MAX || !read_all(answer, text, shown))
		return refuse(answer, "the child's reply was malformed");
	snprintf(answer->why, sizeof(answer->why), "the worker reported an error%s%s",
		 text[0] != '\0' ? ": " : "", text);
	return false;
}

/* False when it was the last one. */
static bool
take_frame(struct answer *answer)
{
	struct frame_header header;

	if (!read_all(answer, &header, sizeof(header)))
		return false;
	if (header.type == FRAME_REPLY)
		return take_head(answer, header.length);
	if (header.type == FRAME_ERROR)
		return take_error(answer, header.length);
	if (answer->status != 0 && header.type == FRAME_BODY && header.length <= FRAME_BODY_MAX)
		return skip(answer, header.length);
	if (answer->status == 0 || header.type != FRAME_END || header.length != 0)
		return refuse(answer, "the child's reply was malformed");
	answer->is_complete = true;
	return false;
}

/* ---- the child ---- */

/* Gives the number that the filter lets be read to another descriptor, which goes. */
static void
take_channel(int fd)
{
	if (dup3(fd, CHILD_CHANNEL_FD, 0) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "descriptors of the self-test");
	if (fd != STDIN_FILENO)
		close(fd);
}

static pid_t
fork_child(const struct child_plan *plan, const struct selftest *test, int *pidfd_out)
{
	const pid_t pid = child_fork(plan, test->child_fd, test->output_fd, pidfd_out);

	if (pid < 0)
		zygote_fail(ZY_EXIT_SELFTEST, errno, "the self-test's child could not be forked");
	close(test->child_fd);
	close(test->output_fd);
	return pid;
}

/* How it has ended says more than that it has. One that does not end is killed at the deadline. */
static void
end_child(struct answer *answer, pid_t pid, int pidfd)
{
	siginfo_t info = { .si_pid = 0 };

	const bool has_ended = wait_readable(pidfd, answer->deadline_ns);
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		continue;
	close(pidfd);
	if (answer->is_complete || !has_ended)
		return;
	const size_t length = strlen(answer->why);
	snprintf(answer->why + length, sizeof(answer->why) - length, " (%s %d)",
		 info.si_code == CLD_EXITED ? "exit" : "signal", info.si_status);
}

static void
log_line(const struct heritage_zygote *heritage, const char *line, size_t length)
{
	char shown[LINE_SHOWN];

	if (length > 0)
		log_event(LOG_WARNING, "self-test's child says", "pool=%s text=\"%s\"",
			  heritage->pool, log_escape(line, length, shown, sizeof(shown)));
}

/* What it printed, a line each: tracebacks have their reason in the first or in the last. */
static void
log_output(const struct heritage_zygote *heritage)
{
	char bytes[OUTPUT_SHOWN];
	size_t length = 0, start = 0;
	ssize_t count;

	while ((count = read(CHILD_CHANNEL_FD, bytes + length, sizeof(bytes) - length)) > 0)
		length += (size_t)count;
	for (size_t end = 0; end <= length; end++) {
		if (end < length && bytes[end] != '\n')
			continue;
		log_line(heritage, bytes + start, end - start);
		start = end + 1;
	}
}

static _Noreturn void
fail(const struct heritage_zygote *heritage, const char *why)
{
	zygote_fail(ZY_EXIT_SELFTEST, 0, "self-test %s %.100s: %s", heritage->selftest.method,
		    heritage->selftest.path, why);
}

static void
judge(const struct heritage_zygote *heritage, struct answer *answer)
{
	if (answer->is_complete && answer->status < PASSES_BELOW)
		return;
	log_output(heritage);
	if (answer->is_complete)
		snprintf(answer->why, sizeof(answer->why), "answered with status %u",
			 answer->status);
	fail(heritage, answer->why);
}

void
selftest_run(const struct heritage_zygote *heritage, const struct child_plan *plan,
	     const struct selftest *test, struct msg_zygote_ready *ready_out)
{
	const uint64_t start_ns = now_ns();
	unsigned char request[REQUEST_ROOM];
	struct answer answer = { .deadline_ns = start_ns +
						heritage->selftest.timeout_ms * UINT64_C(1000000) };
	int pidfd;

	if (test->fd < 0)
		return;
	const size_t length = make_request(heritage, answer.deadline_ns, request);
	if (length == 0)
		fail(heritage, "the request could not be made");
	const pid_t pid = fork_child(plan, test, &pidfd);
	take_channel(test->fd);
	/* It fits the socket's buffer. A child that has died already is found by reading. */
	if (write(CHILD_CHANNEL_FD, request, length) == (ssize_t)length || errno == EPIPE)
		while (take_frame(&answer))
			continue;
	else
		(void)refuse(&answer, "the request could not be sent");
	end_child(&answer, pid, pidfd);
	take_channel(test->log_fd);
	judge(heritage, &answer);
	take_channel(STDIN_FILENO);
	ready_out->selftest_status = answer.status;
	ready_out->selftest_us = (uint32_t)((now_ns() - start_ns) / 1000);
}
