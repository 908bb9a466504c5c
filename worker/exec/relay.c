/*
 * One loop for both directions: a program may write before it has read all, or not read at all, and neither may stop the other.
 *
 * Runs in: child. Nothing that the program writes is believed: its header is bounded and parsed by header.c, the rest is bytes. Where
 * it breaks off (by a signal, with a status other than 0, before its Content-Length) the answer does.
 */
#include "relay.h"

#include "header.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUIET_MS  10   /* without output, then what is there is sent */
#define LINGER_MS 1000 /* that a program may go on after it has closed its standard output */

enum { OUTPUT, INPUT, BODY, POLLED };

struct relay {
	struct zy_request *request;
	int input_fd; /* -1: closed */
	int output_fd;
	bool has_header;
	bool is_ended;	/* the program's standard output */
	bool is_unsent; /* some of the answer may be in the buffer */
	size_t header_bytes, header_seen;
	size_t piece_at, piece_end;
	char header[HEADER_BYTES_MAX];
	/* After POLLIN a pipe takes this much without waiting, pipe(7). */
	char piece[PIPE_BUF];
	char output[65536];
};

static int
fail(const char *why)
{
	fprintf(stderr, "the program's answer is not to be used: %s\n", why);
	return -1;
}

/* ---- the request's body ---- */

static void
close_input(struct relay *relay)
{
	if (relay->input_fd >= 0)
		close(relay->input_fd);
	relay->input_fd = -1;
}

static bool
has_piece(const struct relay *relay)
{
	return relay->piece_at < relay->piece_end;
}

static void
read_body(struct relay *relay)
{
	relay->piece_at = 0;
	relay->piece_end = zy_read(relay->request, relay->piece, sizeof(relay->piece));
	if (relay->piece_end == 0)
		close_input(relay);
}

/* A program that does not want to read has closed it, which is its right. */
static void
write_input(struct relay *relay)
{
	const ssize_t count = write(relay->input_fd, relay->piece + relay->piece_at,
				    relay->piece_end - relay->piece_at);

	if (count >= 0)
		relay->piece_at += (size_t)count;
	else if (errno != EINTR)
		close_input(relay);
}

/* ---- the answer ---- */

static int
send_header(struct relay *relay, const struct header *header)
{
	if (zy_status(relay->request, header->status) < 0)
		return fail("its Status");
	for (size_t i = 0; i < header->count; i++)
		if (zy_header_add(relay->request, header->fields[i].name, header->fields[i].value) <
		    0)
			return fail("bytes in its header that a header cannot have, or too many of "
				    "them");
	/* 204 and 304 have no body, whatever the length says that another answer would have. */
	if (header->has_length && header->status != 204 && header->status != 304 &&
	    zy_length(relay->request, header->length) < 0)
		return fail("its Content-Length");
	return 0;
}

static int
write_body(struct relay *relay, const char *bytes, size_t size)
{
	if (size > 0 && zy_write(relay->request, bytes, size) < 0)
		return fail(
			"a body that is longer than its Content-Length, or that its status cannot "
			"have");
	relay->is_unsent = true;
	return 0;
}

/* What comes is the header's until that is whole; the body may begin with its last bytes. */
static int
take_header(struct relay *relay)
{
	struct header header;
	const ssize_t count = read(relay->output_fd, relay->header + relay->header_bytes,
				   sizeof(relay->header) - relay->header_bytes);

	if (count < 0)
		return errno == EINTR ? 0 : fail("it cannot be read");
	relay->is_ended = count == 0;
	if (relay->is_ended)
		return fail("it ended within its header");
	relay->header_bytes += (size_t)count;
	const size_t end = header_find_end(relay->header, relay->header_bytes, &relay->header_seen);
	if (end == 0)
		return relay->header_bytes == sizeof(relay->header) ? fail("its header is too long")
								    : 0;
	const char *wrong = header_parse(relay->header, end, &header);
	if (wrong != NULL)
		return fail(wrong);
	relay->has_header = true;
	if (send_header(relay, &header) < 0)
		return -1;
	return write_body(relay, relay->header + end, relay->header_bytes - end);
}

/* 1 at its end. */
static int
take_output(struct relay *relay)
{
	if (!relay->has_header)
		return take_header(relay);
	const ssize_t count = read(relay->output_fd, relay->output, sizeof(relay->output));
	if (count < 0)
		return errno == EINTR ? 0 : fail("it cannot be read");
	relay->is_ended = count == 0;
	return relay->is_ended ? 1 : write_body(relay, relay->output, (size_t)count);
}

/* ---- the loop ---- */

/* Descriptors of -1 are passed over by poll(2). */
static void
fill(const struct relay *relay, struct pollfd polled[POLLED])
{
	const bool wants_body = relay->input_fd >= 0 && !has_piece(relay);

	polled[OUTPUT] = (struct pollfd){ .fd = relay->output_fd, .events = POLLIN };
	polled[INPUT] =
		(struct pollfd){ .fd = relay->input_fd, .events = has_piece(relay) ? POLLOUT : 0 };
	polled[BODY] = (struct pollfd){ .fd = wants_body ? zy_body_fd(relay->request) : -1,
					.events = POLLIN };
}

/* One round. 0 to go on, 1 at the end of the answer, -1. */
static int
turn(struct relay *relay)
{
	struct pollfd polled[POLLED];

	fill(relay, polled);
	/* Some of the body is here already: that comes first, and what a poll would say of the channel does not matter. */
	if (relay->input_fd >= 0 && !has_piece(relay) && polled[BODY].fd < 0) {
		read_body(relay);
		return 0;
	}
	const int ready = poll(polled, POLLED, relay->is_unsent ? QUIET_MS : -1);
	if (ready < 0)
		return errno == EINTR ? 0 : fail("it cannot be waited for");
	if (ready == 0) {
		relay->is_unsent = false;
		return zy_flush(relay->request);
	}
	if (polled[BODY].revents != 0)
		read_body(relay);
	else if ((polled[INPUT].revents & POLLERR) != 0)
		close_input(relay);
	else if (polled[INPUT].revents != 0)
		write_input(relay);
	return polled[OUTPUT].revents != 0 ? take_output(relay) : 0;
}

int
relay_run(struct zy_request *request, const int fds[2])
{
	static struct relay relay; /* too large for comfort on a stack */
	int result;

	relay.request = request;
	relay.input_fd = fds[0];
	relay.output_fd = fds[1];
	relay.has_header = relay.is_ended = relay.is_unsent = false;
	relay.header_bytes = relay.header_seen = 0;
	relay.piece_at = relay.piece_end = 0;
	while ((result = turn(&relay)) == 0)
		continue;
	close_input(&relay);
	const int status = zy_program_end(request, relay.is_ended ? LINGER_MS : 0);
	if (result < 0)
		return -1;
	if (status <= 0)
		return 0;
	fprintf(stderr, "the program ended with status %d\n", status);
	return -1;
}
