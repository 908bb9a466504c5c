/* LINK: worker/zygote/request.c worker/zygote/request_body.c worker/zygote/reply.c */
/* LINK: worker/zygote/reply_header.c worker/zygote/channel.c worker/zygote/percent.c */
/*
 * The child runtime: request frames in, reply frames out. Each case runs a handler in a process of
 * its own, as in the daemon, because the runtime ends by _exit.
 *
 * Runs in: unit tests.
 */
#include "zygote/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES_MAX (4 << 20)

typedef int handler(struct zy_request *request);

/* A byte string that grows. */
struct text {
	unsigned char bytes[BYTES_MAX];
	size_t length;
};

static struct text input, output;
static size_t piece; /* bytes per write of the front's side */

/* ---- frames in ---- */

static void
put(const void *bytes, size_t size)
{
	assert_true(input.length + size <= sizeof(input.bytes));
	memcpy(input.bytes + input.length, bytes, size);
	input.length += size;
}

static void
put_string(const char *text)
{
	const uint16_t length = (uint16_t)strlen(text);

	put(&length, sizeof(length));
	put(text, (size_t)length + 1);
}

static void
put_frame(uint32_t type, const void *bytes, size_t size)
{
	const struct frame_header header = { type, (uint32_t)size };

	put(&header, sizeof(header));
	if (size > 0)
		put(bytes, size);
}

/* Starts a request: its frame header's length is filled in by end_head. */
static void
begin_head(uint16_t fields, uint16_t headers, uint64_t content_length)
{
	const struct frame_header header = { FRAME_REQUEST, 0 };
	const struct frame_request head = {
		.id = 7,
		.deadline_ns = 9,
		.content_length = content_length,
		.seed = { 1, 2, 3 },
		.fields = fields,
		.headers = headers,
	};

	input.length = 0;
	put(&header, sizeof(header));
	put(&head, sizeof(head));
}

static void
end_head(void)
{
	const uint32_t length = (uint32_t)(input.length - sizeof(struct frame_header));

	memcpy(input.bytes + offsetof(struct frame_header, length), &length, sizeof(length));
}

static const char *method = "GET";

static void
put_request(uint64_t content_length)
{
	const char *const fields[ZY_FIELD_MAX] = {
		method, "/a/b", "q=1",	"/a/",	   "b",	  "host", "HTTP/1.1", "http",  "192.0.2.1",
		"4711", "web",	"pool", "TLSv1.3", "AES", "host", "CN=a",     "DNS:a", "id-1"
	};

	begin_head(ZY_FIELD_MAX, 2, content_length);
	for (size_t i = 0; i < ZY_FIELD_MAX; i++)
		put_string(fields[i]);
	put_string("accept");
	put_string("text/plain");
	put_string("x-empty");
	put_string("");
	end_head();
}

/* ---- the child ---- */

static pid_t
start(handler *handle, int *fd_out)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		close(fds[0]);
		static struct zy_request request;
		request_receive(&request, fds[1]);
		reply_finish(&request, handle(&request));
	}
	close(fds[1]);
	*fd_out = fds[0];
	return pid;
}

static void
feed(int fd)
{
	const size_t size = piece != 0 ? piece : input.length;

	for (size_t at = 0; at < input.length; at += size) {
		size_t left = input.length - at;
		if (send(fd, input.bytes + at, left < size ? left : size, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* Runs the handler over `input`; the reply is in `output`. Returns the exit code. */
static int
run(handler *handle)
{
	ssize_t count;
	int status, fd;
	pid_t pid = start(handle, &fd);
	pid_t feeder = fork();

	assert_true(feeder >= 0);
	if (feeder == 0) {
		feed(fd);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	output.length = 0;
	while ((count = read(fd, output.bytes + output.length,
			     sizeof(output.bytes) - output.length)) > 0)
		output.length += (size_t)count;
	close(fd);
	assert_int_equal(waitpid(feeder, &status, 0), feeder);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ---- frames out ---- */

struct reply {
	struct frame_reply head;
	int heads, ends, errors, frames;
	uint64_t body_bytes;
	uint32_t body_sum;
	char first[64]; /* of the body */
};

static void
take_body(struct reply *reply, const unsigned char *bytes, size_t size)
{
	assert_in_range(size, 1, FRAME_BODY_MAX);
	for (size_t i = 0; i < size; i++) {
		if (reply->body_bytes + i < sizeof(reply->first) - 1)
			reply->first[reply->body_bytes + i] = (char)bytes[i];
		reply->body_sum = reply->body_sum * 31 + bytes[i];
	}
	reply->body_bytes += size;
}

static struct reply
parse_output(void)
{
	struct reply reply = { .heads = 0 };

	for (size_t at = 0; at < output.length; reply.frames++) {
		struct frame_header header;
		memcpy(&header, output.bytes + at, sizeof(header));
		at += sizeof(header);
		assert_true(header.length <= output.length - at);
		if (header.type == FRAME_REPLY) {
			assert_int_equal(reply.frames, 0);
			memcpy(&reply.head, output.bytes + at, sizeof(reply.head));
			reply.heads++;
		} else if (header.type == FRAME_BODY) {
			take_body(&reply, output.bytes + at, header.length);
		} else if (header.type == FRAME_END) {
			reply.ends++;
		} else {
			assert_int_equal(header.type, FRAME_ERROR);
			reply.errors++;
		}
		at += header.length;
	}
	return reply;
}

/* ---- handlers: what they find wrong they tell by status 599 ---- */

static int
check(struct zy_request *request, int is_right)
{
	return is_right ? 0 : zy_status(request, 599);
}

static int
look_at_request(struct zy_request *request)
{
	int right = strcmp(zy_field(request, ZY_METHOD), "GET") == 0 &&
		    strcmp(zy_field(request, ZY_POOL), "pool") == 0 && zy_headers(request) == 2 &&
		    strcmp(zy_header(request, "accept"), "text/plain") == 0 &&
		    strcmp(zy_header_value(request, 1), "") == 0 &&
		    zy_header(request, "nothing") == NULL && zy_header_name(request, 2) == NULL &&
		    zy_id(request) == 7 && zy_deadline_ns(request) == 9 && zy_seed(request)[2] == 3;

	return check(request, right);
}

static int
hello(struct zy_request *request)
{
	return zy_printf(request, "hello, %s", "world");
}

static int
echo(struct zy_request *request)
{
	static char buffer[10000];
	size_t size;

	while ((size = zy_read(request, buffer, sizeof(buffer))) > 0)
		if (zy_write(request, buffer, size) < 0)
			return -1;
	return 0;
}

static int
echo_by_three(struct zy_request *request)
{
	char buffer[3];
	size_t size;

	while ((size = zy_read(request, buffer, sizeof(buffer))) > 0)
		if (zy_write(request, buffer, size) < 0)
			return -1;
	return 0;
}

static int
write_large(struct zy_request *request)
{
	static char large[1000000];

	memset(large, 'x', sizeof(large));
	return zy_write(request, "start ", 6) < 0 ? -1 : zy_write(request, large, sizeof(large));
}

static int
print_large(struct zy_request *request)
{
	return zy_printf(request, "%s%050000d", "n", 1);
}

static int
flush_often(struct zy_request *request)
{
	for (int i = 0; i < 5; i++)
		if (zy_printf(request, "%d", i) < 0 || zy_flush(request) < 0)
			return -1;
	return 0;
}

static int
fail_early(struct zy_request *request)
{
	(void)zy_write(request, "never seen", 10);
	return -1;
}

static int
fail_late(struct zy_request *request)
{
	(void)zy_write(request, "seen", 4);
	(void)zy_flush(request);
	(void)zy_write(request, "not seen", 8);
	return -1;
}

static int
break_promise(struct zy_request *request)
{
	return zy_length(request, 10) < 0 ? -1 : zy_write(request, "nine byte", 9);
}

static int
exceed_promise(struct zy_request *request)
{
	int right = zy_length(request, 4) == 0 && zy_write(request, "12345", 5) == -1 &&
		    zy_printf(request, "%s", "12345") == -1 && zy_write(request, "1234", 4) == 0 &&
		    zy_write(request, "5", 1) == -1;

	return right ? 0 : -1;
}

static int
use_wrong_headers(struct zy_request *request)
{
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{ "", "x" },
		{ "a b", "x" },
		{ "a:", "x" },
		{ "a\n", "x" },
		{ "X", "a\r\nb: c" },
		{ "X", "a\x7f" },
		{ "X", "\x01" },
		{ NULL, "x" },
		{ "X", NULL },
		{ "Content-Length", "1" },
		{ "TRANSFER-ENCODING", "x" },
		{ "Connection", "close" },
		{ "Keep-Alive", "x" },
		{ "Proxy-Anything", "x" },
		{ "Upgrade", "x" },
		{ "te", "x" },
		{ "Trailer", "x" },
		{ "Date", "x" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (zy_header_add(request, wrong[i].name, wrong[i].value) != -1)
			return -1;
	return zy_header_add(request, "X-Right", "tab\t and \xc3\xa4");
}

static int
use_too_many_headers(struct zy_request *request)
{
	for (int i = 0; i < FRAME_HEADERS_MAX; i++)
		if (zy_header_add(request, "X", "y") < 0)
			return -1;
	return zy_header_add(request, "X", "y") == -1 ? 0 : -1;
}

static int
use_too_large_headers(struct zy_request *request)
{
	static char value[8194];
	int added = 0;

	memset(value, 'v', 8193);
	if (zy_header_add(request, "X", value) != -1)
		return -1;
	value[8192] = '\0';
	while (zy_header_add(request, "X", value) == 0)
		added++;
	return added == 5 ? zy_write(request, "ok", 2) : -1;
}

static int
call_in_wrong_order(struct zy_request *request)
{
	int right = zy_status(request, 199) == -1 && zy_status(request, 600) == -1 &&
		    zy_status(request, 201) == 0 && zy_write(request, "a", 1) == 0 &&
		    zy_status(request, 202) == -1 && zy_header_add(request, "X", "y") == -1 &&
		    zy_length(request, 1) == -1;

	return right ? 0 : -1;
}

static int
answer_204_with_body(struct zy_request *request)
{
	int right = zy_status(request, 204) == 0 && zy_write(request, "a", 1) == -1 &&
		    zy_length(request, 1) == -1;

	return right ? 0 : -1;
}

static int
answer_nothing(struct zy_request *request)
{
	(void)request;
	return 0;
}

static int
decode(struct zy_request *request)
{
	char out[64];
	int right = zy_percent_decode("a%20b%C3%a4", out) == 5 && strcmp(out, "a b\xc3\xa4") == 0 &&
		    zy_percent_decode("%", out) == -1 && zy_percent_decode("%4", out) == -1 &&
		    zy_percent_decode("%zz", out) == -1 && zy_percent_decode("%00", out) == -1 &&
		    zy_percent_decode("", out) == 0;

	return check(request, right);
}

/* ---- tests ---- */

static const size_t pieces[] = { 0, 1, 2, 7, 4095 };
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

static void
test_request_is_understood_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		piece = pieces[i];
		put_request(0);
		put_frame(FRAME_END, NULL, 0);
		assert_int_equal(run(look_at_request), ZY_EXIT_OK);
		assert_int_equal(parse_output().head.status, 204);
	}
	piece = 0;
}

static void
test_small_answer_has_its_length(void **state)
{
	(void)state;
	put_request(0);
	put_frame(FRAME_END, NULL, 0);
	assert_int_equal(run(hello), ZY_EXIT_OK);
	struct reply reply = parse_output();
	assert_int_equal(reply.head.status, 200);
	assert_int_equal(reply.head.content_length, 12);
	assert_string_equal(reply.first, "hello, world");
	assert_int_equal(reply.frames, 3);
	assert_int_equal(reply.ends, 1);
}

/* RFC 9110, 9.3.2: the length that a GET would have. */
static int
promise_only(struct zy_request *request)
{
	return zy_length(request, 10);
}

static void
test_answer_to_head_promises_a_body_and_has_none(void **state)
{
	(void)state;
	method = "HEAD";
	put_request(0);
	put_frame(FRAME_END, NULL, 0);
	assert_int_equal(run(promise_only), ZY_EXIT_OK);
	struct reply reply = parse_output();
	assert_int_equal(reply.head.status, 200);
	assert_int_equal(reply.head.content_length, 10);
	assert_int_equal(reply.ends, 1);
	put_request(0);
	put_frame(FRAME_END, NULL, 0);
	assert_int_equal(run(break_promise), ZY_EXIT_WORKER);
	method = "GET";
	put_request(0);
	put_frame(FRAME_END, NULL, 0);
	assert_int_equal(run(promise_only), ZY_EXIT_WORKER);
}

static uint32_t
sum_of(const unsigned char *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static void
check_echo(handler *handle, size_t frame_bytes, size_t frames, uint64_t content_length)
{
	static unsigned char body[FRAME_BODY_MAX * 4];
	const size_t size = frame_bytes * frames;

	for (size_t i = 0; i < size; i++)
		body[i] = (unsigned char)(i * 7 + i / 251);
	put_request(content_length);
	for (size_t i = 0; i < frames; i++)
		put_frame(FRAME_BODY, body + i * frame_bytes, frame_bytes);
	put_frame(FRAME_END, NULL, 0);
	assert_int_equal(run(handle), ZY_EXIT_OK);
	struct reply reply = parse_output();
	assert_int_equal(reply.body_bytes, size);
	assert_int_equal(reply.body_sum, sum_of(body, size));
	assert_int_equal(reply.ends, 1);
}

static void
test_body_comes_back_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		piece = pieces[i];
		check_echo(echo, 5, 1, 5);
		check_echo(echo, 1, 20, ZY_LENGTH_UNKNOWN);
		check_echo(echo, 4097, 3, 3 * 4097);
		check_echo(echo_by_three, 1000, 3, ZY_LENGTH_UNKNOWN);
	}
	piece = 0;
	check_echo(echo, FRAME_BODY_MAX, 4, ZY_LENGTH_UNKNOWN);
	check_echo(echo, 0, 0, 0);
}

static void
test_large_answers_are_whole(void **state)
{
	(void)state;
	put_request(0);
	assert_int_equal(run(write_large), ZY_EXIT_OK);
	struct reply reply = parse_output();
	assert_int_equal(reply.body_bytes, 1000006);
	assert_true(reply.head.content_length == UINT64_MAX);
	assert_int_equal(reply.ends, 1);
	assert_int_equal(run(print_large), ZY_EXIT_OK);
	assert_int_equal(parse_output().body_bytes, 50001);
	assert_int_equal(run(flush_often), ZY_EXIT_OK);
	reply = parse_output();
	assert_string_equal(reply.first, "01234");
	assert_int_equal(reply.frames, 7);
}

static void
test_failures_are_told_as_such(void **state)
{
	(void)state;
	put_request(0);
	assert_int_equal(run(fail_early), ZY_EXIT_WORKER);
	struct reply reply = parse_output();
	assert_int_equal(reply.heads, 0);
	assert_int_equal(reply.errors, 1);
	assert_int_equal(run(fail_late), ZY_EXIT_WORKER);
	reply = parse_output();
	assert_int_equal(reply.heads, 1);
	assert_string_equal(reply.first, "seen");
	assert_int_equal(reply.errors, 1);
	assert_int_equal(reply.ends, 0);
	assert_int_equal(run(break_promise), ZY_EXIT_WORKER);
	assert_int_equal(parse_output().ends, 0);
}

static void
test_wrong_calls_are_refused(void **state)
{
	static handler *const right[] = { exceed_promise,
					  use_wrong_headers,
					  use_too_many_headers,
					  use_too_large_headers,
					  call_in_wrong_order,
					  answer_204_with_body,
					  decode };

	(void)state;
	put_request(0);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		assert_int_equal(run(right[i]), ZY_EXIT_OK);
		assert_int_not_equal(parse_output().head.status, 599);
	}
	assert_int_equal(run(answer_nothing), ZY_EXIT_OK);
	assert_int_equal(parse_output().head.status, 204);
}

static void
test_end_while_parked_is_no_failure(void **state)
{
	(void)state;
	input.length = 0;
	assert_int_equal(run(hello), ZY_EXIT_OK);
	assert_int_equal(output.length, 0);
}

static void
test_end_in_the_middle_is_a_broken_channel(void **state)
{
	(void)state;
	put_request(0);
	for (size_t cut = 1; cut < input.length; cut += 11) {
		const size_t whole = input.length;
		input.length = cut;
		assert_int_equal(run(hello), ZY_EXIT_CHANNEL);
		assert_int_equal(output.length, 0);
		input.length = whole;
	}
	put_request(10);
	put_frame(FRAME_BODY, "four", 4);
	assert_int_equal(run(echo), ZY_EXIT_CHANNEL);
	assert_int_equal(parse_output().ends, 0);
}

static void
expect_refusal(void)
{
	assert_int_equal(run(hello), ZY_EXIT_REQUEST);
	assert_int_equal(output.length, 0);
}

static void
put_strings(size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_string("s");
	end_head();
}

static void
test_bad_requests_are_refused(void **state)
{
	const uint32_t too_long = FRAME_HEAD_MAX + 1;
	const uint16_t huge = 60000;

	(void)state;
	begin_head(ZY_FIELD_MAX - 1, 0, 0);
	put_strings(ZY_FIELD_MAX - 1);
	expect_refusal();
	begin_head(ZY_FIELD_MAX, FRAME_HEADERS_MAX + 1, 0);
	put_strings(ZY_FIELD_MAX + 2 * (FRAME_HEADERS_MAX + 1));
	expect_refusal();
	begin_head(ZY_FIELD_MAX, 1, 0); /* a value is missing */
	put_strings(ZY_FIELD_MAX + 1);
	expect_refusal();
	begin_head(ZY_FIELD_MAX, 0, 0); /* bytes behind the end */
	put_strings(ZY_FIELD_MAX + 1);
	expect_refusal();
	begin_head(ZY_FIELD_MAX, 0, 0); /* a length beyond the end */
	put(&huge, sizeof(huge));
	end_head();
	expect_refusal();
	begin_head(ZY_FIELD_MAX, 0, 0); /* a NUL inside */
	put("\x02\x00"
	    "a\0\0",
	    5);
	put_strings(ZY_FIELD_MAX - 1);
	expect_refusal();
	begin_head(ZY_FIELD_MAX, 0, 0); /* no NUL at the end */
	put("\x01\x00"
	    "ab",
	    4);
	put_strings(ZY_FIELD_MAX - 1);
	expect_refusal();
	put_request(0); /* longer than any */
	memcpy(input.bytes + offsetof(struct frame_header, length), &too_long, sizeof(too_long));
	expect_refusal();
	put_request(0); /* another type */
	input.bytes[0] = FRAME_BODY;
	expect_refusal();
	input.length = 0; /* too short for its fixed part */
	put_frame(FRAME_REQUEST, "short", 5);
	expect_refusal();
}

static void
test_bad_bodies_end_the_child(void **state)
{
	static const struct {
		uint64_t promised;
		uint32_t type, length;
	} bad[] = {
		{ 3, FRAME_BODY, 4 },
		{ 5, FRAME_END, 0 },
		{ ZY_LENGTH_UNKNOWN, FRAME_BODY, 0 },
		{ ZY_LENGTH_UNKNOWN, FRAME_BODY, FRAME_BODY_MAX + 1 },
		{ ZY_LENGTH_UNKNOWN, FRAME_END, 1 },
		{ ZY_LENGTH_UNKNOWN, FRAME_REQUEST, 4 },
		{ ZY_LENGTH_UNKNOWN, FRAME_ERROR, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct frame_header header = { bad[i].type, bad[i].length };
		put_request(bad[i].promised);
		put(&header, sizeof(header));
		put("abcd", 4);
		assert_int_equal(run(echo), ZY_EXIT_REQUEST);
		assert_int_equal(output.length, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_is_understood_in_any_pieces),
		cmocka_unit_test(test_small_answer_has_its_length),
		cmocka_unit_test(test_answer_to_head_promises_a_body_and_has_none),
		cmocka_unit_test(test_body_comes_back_in_any_pieces),
		cmocka_unit_test(test_large_answers_are_whole),
		cmocka_unit_test(test_failures_are_told_as_such),
		cmocka_unit_test(test_wrong_calls_are_refused),
		cmocka_unit_test(test_end_while_parked_is_no_failure),
		cmocka_unit_test(test_end_in_the_middle_is_a_broken_channel),
		cmocka_unit_test(test_bad_requests_are_refused),
		cmocka_unit_test(test_bad_bodies_end_the_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
