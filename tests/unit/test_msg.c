/*
 * Messages over channels: what arrives is whole and of the right shape, or refused.
 * LINK: daemon/base/msg.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"

static int channel[2];

static int
open_channel(void **state)
{
	(void)state;
	return msg_channel_open(channel);
}

static int
close_channel(void **state)
{
	(void)state;
	close(channel[0]);
	close(channel[1]);
	return 0;
}

static void
a_message_arrives_with_its_descriptors(void **state)
{
	struct msg_attach sent = { .pool = 3, .generation = 7 };
	struct msg_buffer buffer;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	msg_init(&sent, MSG_ATTACH);
	assert_int_equal(msg_send(channel[0], &sent, &fd, 1), 0);
	assert_int_equal(msg_recv(channel[1], &buffer), 1);
	assert_memory_equal(buffer.bytes, &sent, sizeof(sent));
	assert_int_equal(buffer.fds_count, 1);
	assert_true((fcntl(buffer.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
	msg_close_fds(&buffer);
	assert_int_equal(buffer.fds_count, 0);
	close(fd);
}

static void
nothing_there_is_eagain(void **state)
{
	struct msg_buffer buffer;

	(void)state;
	assert_int_equal(msg_recv(channel[1], &buffer), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_closed_peer_is_zero(void **state)
{
	struct msg_buffer buffer;
	int pair[2];

	(void)state;
	assert_int_equal(msg_channel_open(pair), 0);
	close(pair[0]);
	assert_int_equal(msg_recv(pair[1], &buffer), 0);
	close(pair[1]);
}

/* Type, size in the header, bytes sent: each a way of being wrong. */
static void
misshapen_messages_are_refused(void **state)
{
	static const struct {
		uint32_t type;
		uint32_t size;
		size_t sent;
	} cases[] = {
		{ MSG_NONE, 8, 8 },
		{ MSG_TYPE_MAX, 16, 16 },
		{ 0xffffffff, 16, 16 },
		{ MSG_DRAIN, 8, 16 },
		{ MSG_DRAIN, 24, 24 },
		{ MSG_DRAIN, sizeof(struct msg_cookie), 8 },
		{ MSG_DRAIN, sizeof(struct msg_cookie), 4 },
		{ MSG_DRAIN, sizeof(struct msg_cookie), MSG_BYTES_MAX + 8 },
	};
	unsigned char bytes[MSG_BYTES_MAX + 8] = { 0 };
	struct msg_buffer buffer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct msg_header header = { cases[i].type, cases[i].size };
		memcpy(bytes, &header, sizeof(header));
		assert_int_equal(send(channel[0], bytes, cases[i].sent, 0), cases[i].sent);
		assert_int_equal(msg_recv(channel[1], &buffer), -1);
		assert_int_equal(errno, EPROTO);
	}
}

static void
descriptors_where_none_belong_are_closed(void **state)
{
	struct msg_cookie sent = { .cookie = 1 };
	struct msg_buffer buffer;
	int pipe_fds[2];
	char byte;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	msg_init(&sent, MSG_DRAIN);
	assert_int_equal(msg_send(channel[0], &sent, &pipe_fds[1], 1), 0);
	close(pipe_fds[1]);
	assert_int_equal(msg_recv(channel[1], &buffer), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0); /* nobody holds the other end */
	close(pipe_fds[0]);
}

static void
a_full_channel_is_eagain(void **state)
{
	struct msg_cookie sent = { .cookie = 1 };
	int result = 0;

	(void)state;
	msg_init(&sent, MSG_DRAIN);
	for (int i = 0; i < 100000 && result == 0; i++)
		result = msg_send(channel[0], &sent, NULL, 0);
	assert_int_equal(result, -1);
	assert_int_equal(errno, EAGAIN);
}

static void
every_type_has_a_size(void **state)
{
	(void)state;
	for (uint32_t type = MSG_NONE + 1; type < MSG_TYPE_MAX; type++) {
		assert_true(msg_size(type) >= sizeof(struct msg_header));
		assert_true(msg_size(type) <= MSG_BYTES_MAX);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_channel, close_channel)
	const struct CMUnitTest tests[] = {
		CASE(a_message_arrives_with_its_descriptors),
		CASE(nothing_there_is_eagain),
		CASE(a_closed_peer_is_zero),
		CASE(misshapen_messages_are_refused),
		CASE(descriptors_where_none_belong_are_closed),
		CASE(a_full_channel_is_eagain),
		CASE(every_type_has_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
