/*
 * Calls of a pool.
 *
 * Runs in: zygotectl, as the operator. Where the pool's listener is tells the daemon's `info`, which the operator may be
 * refused: then the address has to be given. The reply's length is not believed for memory: payload is passed on as it comes.
 */
#include "zygotectl/call.h"

#include "base/frame_wire.h"
#include "zygotectl/client.h"
#include "zygotectl/endpoint.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALL_DONE = 0, CALL_REFUSED = 1, CALL_UNUSABLE = 2 };

#define CALL_PIECE   65536
#define CALL_MOST    UINT32_MAX /* of a payload: its length has 32 bits */
#define ADDRESS_SIZE 128

/* ---- where ---- */

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* The first one without TLS; says why there is none. */
static int
choose_listener(const json_t *listeners, const char *pool, char address_out[ADDRESS_SIZE])
{
	const json_t *listener;
	size_t index;
	int has_tls = 0;

	json_array_foreach(listeners, index, listener)
	{
		if (strcmp(text_of(listener, "protocol"), "frame") != 0 ||
		    strcmp(text_of(listener, "pool"), pool) != 0)
			continue;
		if (text_of(listener, "tls")[0] != '\0') {
			has_tls = 1;
			continue;
		}
		snprintf(address_out, ADDRESS_SIZE, "%s", text_of(listener, "address"));
		return CALL_DONE;
	}
	if (has_tls)
		fprintf(stderr,
			"zygotectl: the listeners for frames of pool \"%s\" speak TLS, which "
			"zygotectl does not: use a client that does, or add one at a Unix socket\n",
			pool);
	else
		fprintf(stderr,
			"zygotectl: no listener with protocol = \"frame\" has pool = \"%s\": add "
			"one, "
			"or give an address\n",
			pool);
	return CALL_REFUSED;
}

static int
ask_address(const char *control, const char *pool, char address_out[ADDRESS_SIZE])
{
	static const char command[] = "info\n";
	char *text = client_ask(control, command, sizeof(command) - 1);
	json_t *answer = text != NULL ? json_loads(text, 0, NULL) : NULL;
	int code = CALL_UNUSABLE;

	if (json_is_true(json_object_get(answer, "ok")))
		code = choose_listener(json_object_get(answer, "listeners"), pool, address_out);
	else if (text != NULL)
		fprintf(stderr,
			"zygotectl: the daemon does not say where it listens: give an address: "
			"%s\n",
			answer != NULL ? text_of(answer, "error") : "no JSON");
	json_decref(answer);
	free(text);
	return code;
}

/* ---- what ---- */

/* The same as read(2), but for signals. */
static ssize_t
read_some(void *to, size_t size)
{
	ssize_t got;

	do
		got = read(STDIN_FILENO, to, size);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Room for another piece behind what is used. NULL when there is none; the buffer is freed then. */
static char *
make_room(char *buffer, size_t used, size_t *room)
{
	const size_t wanted = *room == 0 ? 2 * CALL_PIECE : 2 * *room;
	char *grown;

	if (*room >= used + CALL_PIECE)
		return buffer;
	grown = realloc(buffer, wanted);
	if (grown == NULL)
		free(buffer);
	else
		*room = wanted;
	return grown;
}

/* All of standard input, behind room for the head. NULL with errno; *length_out: of the payload. */
static char *
read_payload(size_t *length_out)
{
	size_t room = 0, used = FRAME_WIRE_REQUEST_HEAD;
	char *buffer = NULL;
	ssize_t got;

	do {
		buffer = make_room(buffer, used, &room);
		if (buffer == NULL)
			return NULL;
		got = read_some(buffer + used, CALL_PIECE);
		used += got > 0 ? (size_t)got : 0;
	} while (got > 0 && used - FRAME_WIRE_REQUEST_HEAD <= CALL_MOST);
	*length_out = used - FRAME_WIRE_REQUEST_HEAD;
	if (got == 0)
		return buffer;
	if (got > 0)
		errno = EFBIG;
	free(buffer);
	return NULL;
}

static int
send_payload(int fd, char *buffer, size_t length)
{
	uint8_t head[FRAME_WIRE_REQUEST_HEAD];

	frame_wire_put_request((uint32_t)length, head);
	memcpy(buffer, head, sizeof(head));
	return client_send(fd, buffer, sizeof(head) + length);
}

/* ---- the reply ---- */

/* Exactly `length` bytes. 0, or -1 with errno; EPIPE when the daemon closes before. */
static int
receive(int fd, void *data, size_t length)
{
	char *at = data;

	while (length > 0) {
		ssize_t got = recv(fd, at, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EPIPE;
		if (got <= 0)
			return -1;
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

static int
pass_payload_on(int fd, uint32_t left)
{
	static char piece[CALL_PIECE];

	while (left > 0) {
		const size_t part = left < sizeof(piece) ? left : sizeof(piece);
		if (receive(fd, piece, part) < 0)
			return -1;
		if (fwrite(piece, 1, part, stdout) != part)
			return -1;
		left -= (uint32_t)part;
	}
	return fflush(stdout) == 0 ? 0 : -1;
}

static int
no_reply(void)
{
	fprintf(stderr, "zygotectl: %s: %s\n",
		ferror(stdout) ? "cannot write the reply" : "no whole reply", strerror(errno));
	return CALL_UNUSABLE;
}

/* Nothing is printed of what is no reply. */
static int
take_reply(int fd)
{
	uint8_t head[FRAME_WIRE_REPLY_HEAD];
	unsigned status = 0;
	uint32_t length = 0;

	if (receive(fd, head, sizeof(head)) < 0)
		return no_reply();
	(void)frame_wire_get_reply(head, sizeof(head), &status, &length);
	if (status >= FRAME_STATUS_MAX) {
		fputs("zygotectl: what answers there does not speak frames\n", stderr);
		return CALL_UNUSABLE;
	}
	if (pass_payload_on(fd, length) < 0)
		return no_reply();
	if (status == FRAME_STATUS_OK)
		return CALL_DONE;
	fprintf(stderr, "%szygotectl: status %u: %s\n", length > 0 ? "\n" : "", status,
		frame_wire_status_name(status));
	return CALL_EXIT_STATUS + (int)status;
}

/* A request that is refused while it is being sent has its reply all the same. */
static int
exchange(int fd)
{
	size_t length = 0;
	char *buffer = read_payload(&length);
	int sent;

	if (buffer == NULL) {
		fprintf(stderr, "zygotectl: cannot take standard input: %s\n", strerror(errno));
		return CALL_UNUSABLE;
	}
	sent = send_payload(fd, buffer, length);
	free(buffer);
	if (sent < 0 && errno != EPIPE && errno != ECONNRESET) {
		fprintf(stderr, "zygotectl: cannot send: %s\n", strerror(errno));
		return CALL_UNUSABLE;
	}
	return take_reply(fd);
}

int
call_run(const char *control, int argc, char *argv[])
{
	char address[ADDRESS_SIZE];
	int code, fd;

	if (argc < 2 || argc > 3) {
		fputs("usage: zygotectl [-s SOCKET] call POOL [ADDRESS] < FILE\n", stderr);
		return CALL_UNUSABLE;
	}
	code = argc == 2 ? ask_address(control, argv[1], address) : CALL_DONE;
	if (code != CALL_DONE)
		return code;
	fd = endpoint_connect(argc == 2 ? address : argv[2]);
	if (fd < 0)
		return CALL_UNUSABLE;
	code = exchange(fd);
	close(fd);
	return code;
}
