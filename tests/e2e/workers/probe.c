/*
 * A worker for tests: does on request what a good worker should not. The path after the route names
 * the deed and its argument: "sleep/200", "crash/segv", "frames/no-end".
 *
 * Runs in: a child. The option "load" makes the load itself misbehave. Never installed.
 */
#include "worker.h"

#include "base/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL_FD 3
#define PIECE	   4096

struct deed {
	const char *name;
	int (*run)(struct zy_request *request, const char *argument);
};

static char *ballast; /* loaded, for children to copy */
static size_t ballast_bytes;
static int counter; /* what one request writes here no other may see */

static int
do_pid(struct zy_request *request, const char *argument)
{
	(void)argument;
	return zy_printf(request, "%ld %d\n", (long)getpid(), ++counter);
}

static void
sleep_ms(unsigned long ms)
{
	struct timespec left = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) != 0)
		continue;
}

static int
do_sleep(struct zy_request *request, const char *argument)
{
	sleep_ms(strtoul(argument, NULL, 10));
	return zy_printf(request, "slept\n");
}

static void
crash(const char *how)
{
	volatile int zero = 0;
	int *volatile nowhere = NULL;

	if (strcmp(how, "segv") == 0)
		*nowhere = 1;
	if (strcmp(how, "fpe") == 0)
		zero = 1000 / zero; /* by 1 compilers compare instead */
	if (strcmp(how, "ill") == 0)
		__builtin_trap();
	if (strcmp(how, "sys") == 0)
		(void)socket(AF_INET, SOCK_STREAM, 0);
	abort();
}

static int
do_crash(struct zy_request *request, const char *argument)
{
	(void)request;
	crash(argument);
	return 0;
}

static int
do_exit(struct zy_request *request, const char *argument)
{
	(void)request;
	_exit(atoi(argument));
}

static int
do_error(struct zy_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	return -1;
}

/* Part of an answer has left, and then it breaks off. */
static int
do_break(struct zy_request *request, const char *argument)
{
	if (zy_printf(request, "the beginning") != 0 || zy_flush(request) != 0)
		return -1;
	if (strcmp(argument, "error") == 0)
		return -1;
	crash(argument);
	return 0;
}

static int
do_discard(struct zy_request *request, const char *argument)
{
	unsigned long pause_ms = strtoul(argument, NULL, 10);
	unsigned long long total = 0;
	char buffer[PIECE];
	size_t got;

	while ((got = zy_read(request, buffer, sizeof(buffer))) > 0) {
		total += got;
		if (pause_ms > 0)
			sleep_ms(pause_ms);
	}
	return zy_printf(request, "%llu\n", total);
}

static int
do_write(struct zy_request *request, const char *argument)
{
	unsigned long long left = strtoull(argument, NULL, 10);
	char piece[PIECE];

	memset(piece, 'x', sizeof(piece));
	while (left > 0) {
		size_t size = left < sizeof(piece) ? (size_t)left : sizeof(piece);

		if (zy_write(request, piece, size) != 0)
			return -1;
		left -= size;
	}
	return 0;
}

/* fill/BYTES/HOW: sends that much, then sleeps for a minute, or crashes that way. */
static int
do_fill(struct zy_request *request, const char *argument)
{
	const char *how = strchr(argument, '/');

	if (how == NULL || do_write(request, argument) != 0 || zy_flush(request) != 0)
		return -1;
	if (strcmp(how, "/sleep") == 0)
		sleep_ms(60000);
	crash(how + 1);
	return 0;
}

/* One line each 20 ms, sent at once. */
static int
do_trickle(struct zy_request *request, const char *argument)
{
	for (int i = 0; i < atoi(argument); i++) {
		if (zy_printf(request, "line %d\n", i) != 0 || zy_flush(request) != 0)
			return -1;
		sleep_ms(20);
	}
	return 0;
}

static int
do_stderr(struct zy_request *request, const char *argument)
{
	for (int i = 0; i < atoi(argument); i++)
		fprintf(stderr, "complaint %d\n", i);
	return zy_printf(request, "complained\n");
}

/* Answers in full before the body was read, and never reads it. */
static int
do_early(struct zy_request *request, const char *argument)
{
	(void)argument;
	return zy_printf(request, "early\n");
}

static int
do_alloc(struct zy_request *request, const char *argument)
{
	size_t size = strtoull(argument, NULL, 10);
	char *block = malloc(size);

	if (block == NULL)
		return zy_printf(request, "refused\n");
	memset(block, 1, size);
	return zy_printf(request, "allocated %d\n", block[size - 1]);
}

/* touch/BYTES/MS: writes to that much of what the option "ballast" had loaded, then waits. */
static int
do_touch(struct zy_request *request, const char *argument)
{
	char *rest;
	size_t size = strtoull(argument, &rest, 10);

	if (size > ballast_bytes)
		return -1;
	for (size_t at = 0; at < size; at += PIECE)
		ballast[at]++;
	sleep_ms(*rest == '/' ? strtoul(rest + 1, NULL, 10) : 0);
	return zy_printf(request, "touched\n");
}

/* grow/BYTES/MS: allocates that much, touches as much of the ballast, then waits. */
static int
do_grow(struct zy_request *request, const char *argument)
{
	size_t size = strtoull(argument, NULL, 10);
	char *block = malloc(size);

	if (block == NULL)
		return zy_printf(request, "refused\n");
	memset(block, 1, size);
	ballast[0] = block[size - 1];
	return do_touch(request, argument);
}

static int
do_burn(struct zy_request *request, const char *argument)
{
	volatile unsigned long turns = 0;

	(void)argument;
	(void)request;
	for (;;)
		turns++;
	return 0;
}

static int
do_status(struct zy_request *request, const char *argument)
{
	if (zy_status(request, atoi(argument)) != 0)
		return -1;
	return zy_header_add(request, "x-probe", "yes");
}

/* Whose request it is. */
static int
do_peer(struct zy_request *request, const char *argument)
{
	(void)argument;
	return zy_printf(request, "%s %s\n", zy_field(request, ZY_PEER_ADDRESS),
			 zy_field(request, ZY_PEER_PORT));
}

/* Sets a header of that name. */
static int
do_header(struct zy_request *request, const char *argument)
{
	if (zy_header_add(request, argument, "from the worker") != 0)
		return -1;
	return zy_header_add(request, "x-probe", "yes");
}

/* ---- frames that no runtime would write ---- */

static void
put(const void *data, size_t size)
{
	if (write(CHANNEL_FD, data, size) != (ssize_t)size)
		_exit(ZY_EXIT_CHANNEL);
}

static void
put_frame(uint32_t type, uint32_t length, const void *data)
{
	struct frame_header header = { type, length };

	put(&header, sizeof(header));
	if (data != NULL)
		put(data, length);
}

static void
put_head(uint16_t status, uint16_t headers, uint64_t content_length)
{
	struct frame_reply reply = {
		.status = status,
		.headers = headers,
		.content_length = content_length,
	};

	put_frame(FRAME_REPLY, sizeof(reply), &reply);
}

static void
frames_garbage(void)
{
	put("HTTP/1.1 200 OK\r\n\r\nhello", 24);
}

static void
frames_unknown(void)
{
	put_frame(99, 4, "what");
}

static void
frames_huge(void)
{
	put_frame(FRAME_REPLY, 0x80000000u, NULL);
}

static void
frames_body_first(void)
{
	put_frame(FRAME_BODY, 4, "body");
}

static void
frames_promise(void)
{
	put_head(200, 0, UINT64_C(1) << 40);
}

static void
frames_two_heads(void)
{
	put_head(200, 0, UINT64_MAX);
	put_head(200, 0, UINT64_MAX);
}

static void
frames_status(void)
{
	put_head(100, 0, UINT64_MAX);
	put_frame(FRAME_END, 0, NULL);
}

static void
frames_headers_missing(void)
{
	put_head(200, 7, UINT64_MAX);
	put_frame(FRAME_END, 0, NULL);
}

static void
frames_too_short(void)
{
	put_head(200, 0, 10);
	put_frame(FRAME_BODY, 4, "body");
	put_frame(FRAME_END, 0, NULL);
}

static void
frames_too_long(void)
{
	put_head(200, 0, 2);
	put_frame(FRAME_BODY, 4, "body");
	put_frame(FRAME_END, 0, NULL);
}

static void
frames_no_end(void)
{
	put_head(200, 0, UINT64_MAX);
	put_frame(FRAME_BODY, 4, "body");
	_exit(0);
}

static void
frames_none(void)
{
	_exit(0);
}

static const struct {
	const char *name;
	void (*put)(void);
} frames[] = {
	{ "garbage", frames_garbage },	   { "unknown", frames_unknown },
	{ "huge", frames_huge },	   { "body-first", frames_body_first },
	{ "promise", frames_promise },	   { "two-heads", frames_two_heads },
	{ "status", frames_status },	   { "headers-missing", frames_headers_missing },
	{ "too-short", frames_too_short }, { "too-long", frames_too_long },
	{ "no-end", frames_no_end },	   { "none", frames_none },
};

/* Does not end by itself after them: the front has to see what is wrong. */
static int
do_frames(struct zy_request *request, const char *argument)
{
	(void)request;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		if (strcmp(frames[i].name, argument) == 0) {
			frames[i].put();
			sleep_ms(60000);
		}
	return -1;
}

/* What is known of the client's TLS, a line each. */
static int
do_tls(struct zy_request *request, const char *argument)
{
	static const enum zy_field fields[] = { ZY_SCHEME,	   ZY_TLS_VERSION,
						ZY_TLS_CIPHER,	   ZY_TLS_SERVER_NAME,
						ZY_CLIENT_SUBJECT, ZY_CLIENT_SAN };

	(void)argument;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (zy_printf(request, "%s\n", zy_field(request, fields[i])) < 0)
			return -1;
	return 0;
}

/* What is known of the request beside its body. */
static int
do_fields(struct zy_request *request, const char *argument)
{
	(void)argument;
	for (int i = 0; i < ZY_FIELD_MAX; i++)
		if (i != ZY_REQUEST_ID &&
		    zy_printf(request, "%s|", zy_field(request, (enum zy_field)i)) < 0)
			return -1;
	return zy_printf(request, "%zu", zy_headers(request));
}

static const struct deed deeds[] = {
	{ "pid", do_pid },	   { "sleep", do_sleep },   { "crash", do_crash },
	{ "exit", do_exit },	   { "error", do_error },   { "break", do_break },
	{ "discard", do_discard }, { "write", do_write },   { "fill", do_fill },
	{ "trickle", do_trickle }, { "stderr", do_stderr }, { "early", do_early },
	{ "alloc", do_alloc },	   { "touch", do_touch },   { "grow", do_grow },
	{ "burn", do_burn },	   { "status", do_status }, { "frames", do_frames },
	{ "tls", do_tls },	   { "header", do_header }, { "peer", do_peer },
	{ "fields", do_fields },
};

/* A frame has no path: the first line of its payload stands for it. */
static const char *
read_deed(struct zy_request *request)
{
	static char line[256];
	size_t length = 0;

	if (strcmp(zy_field(request, ZY_METHOD), "FRAME") != 0)
		return zy_field(request, ZY_REST);
	while (length < sizeof(line) - 1 && zy_read(request, line + length, 1) == 1 &&
	       line[length] != '\n')
		length++;
	line[length] = '\0';
	return line;
}

static int
probe_handle(void *state, struct zy_request *request)
{
	const char *rest = read_deed(request);
	size_t length = strcspn(rest, "/");

	(void)state;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strlen(deeds[i].name) == length && strncmp(deeds[i].name, rest, length) == 0)
			return deeds[i].run(request, rest + length + (rest[length] == '/'));
	zy_status(request, 404);
	return zy_printf(request, "no such deed\n");
}

/* The option "reserve": addresses with a page at the start, one at the end, and nothing between. */
static int
reserve(const char *size)
{
	const size_t bytes = size != NULL ? strtoull(size, NULL, 10) : 0;
	char *block = bytes == 0 ? NULL
				 : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes == 0)
		return 0;
	if (block == MAP_FAILED)
		return -1;
	block[0] = block[bytes - 1] = 1;
	return zy_name_region(block, bytes, "reserved");
}

/* The option "wait" names a file: loading lasts for as long as it is there. */
static void
wait_while_there(const char *path)
{
	while (path != NULL && access(path, F_OK) == 0)
		sleep_ms(5);
}

static int
probe_load(const struct zy_load *load, void **state_out)
{
	const char *how = zy_option(load, "load", 0);

	const char *size = zy_option(load, "ballast", 0);

	*state_out = NULL;
	if (size != NULL) {
		ballast_bytes = strtoull(size, NULL, 10);
		ballast = malloc(ballast_bytes);
		if (ballast == NULL)
			return zy_load_error(load, "no memory for the ballast");
		memset(ballast, 1, ballast_bytes);
	}
	if (reserve(zy_option(load, "reserve", 0)) != 0)
		return zy_load_error(load, "no address space to reserve");
	wait_while_there(zy_option(load, "wait", 0));
	if (how != NULL && strcmp(how, "fail") == 0)
		return zy_load_error(load, "told to fail");
	if (how != NULL && strcmp(how, "crash") == 0)
		abort();
	return 0;
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "probe",
	.profile = "compute",
	.load = probe_load,
	.handle = probe_handle,
};
