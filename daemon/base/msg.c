/*
 * Messages over SOCK_SEQPACKET channels: one table gives each type's size and the descriptors that
 * it may carry, and nothing that does not fit the table reaches a caller.
 *
 * Runs in: supervisor, front, zygote. Allocates nothing, so that the zygote may use it after its
 * lock-down.
 */
#include "base/msg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static const struct {
	size_t size;
	unsigned fds_max;
} types[MSG_TYPE_MAX] = {
	[MSG_ATTACH] = { sizeof(struct msg_attach), PROTO_ZYGOTES_MAX },
	[MSG_DETACH] = { sizeof(struct msg_generation), 0 },
	[MSG_GO] = { sizeof(struct msg_generation), 0 },
	[MSG_RECONFIGURE] = { sizeof(struct msg_reconfigure), 2 },
	[MSG_LISTEN] = { sizeof(struct msg_listen), 1 },
	[MSG_STATS_GET] = { sizeof(struct msg_cookie), 0 },
	[MSG_CHILDREN_GET] = { sizeof(struct msg_children_get), 0 },
	[MSG_PENALTIES_GET] = { sizeof(struct msg_cookie), 0 },
	[MSG_ROUTES_GET] = { sizeof(struct msg_children_get), 0 },
	[MSG_SAMPLED] = { sizeof(struct msg_sample), 0 },
	[MSG_PREFAULT] = { sizeof(struct msg_prefault), 0 },
	[MSG_MEMORY_OVER] = { sizeof(struct msg_memory), 0 },
	[MSG_LOG_LEVEL] = { sizeof(struct msg_log_level), 0 },
	[MSG_ACCESS_LOG] = { sizeof(struct msg_cookie), 1 },
	[MSG_DRAIN] = { sizeof(struct msg_cookie), 0 },
	[MSG_FRONT_READY] = { sizeof(struct msg_cookie), 0 },
	[MSG_ATTACHED] = { sizeof(struct msg_generation), 0 },
	[MSG_HELD] = { sizeof(struct msg_generation), 0 },
	[MSG_DETACHED] = { sizeof(struct msg_generation), 0 },
	[MSG_STATS] = { sizeof(struct msg_stats), 0 },
	[MSG_STATS_TIMES] = { sizeof(struct msg_stats_times), 0 },
	[MSG_STATS_LISTENER] = { sizeof(struct msg_stats_listener), 0 },
	[MSG_STATS_END] = { sizeof(struct msg_stats_end), 0 },
	[MSG_CHILDREN] = { sizeof(struct msg_children), 0 },
	[MSG_PENALTIES] = { sizeof(struct msg_penalties), 0 },
	[MSG_ROUTE] = { sizeof(struct msg_route), 0 },
	[MSG_MEMORY_LOOK] = { sizeof(struct msg_generation), 0 },
	[MSG_DRAINED] = { sizeof(struct msg_cookie), 0 },
	[MSG_RECYCLE_WANTED] = { sizeof(struct msg_recycle), 0 },
	[MSG_METRICS_GET] = { sizeof(struct msg_metrics), 0 },
	[MSG_METRICS] = { sizeof(struct msg_metrics), 1 },
	[MSG_RECONFIGURED] = { sizeof(struct msg_cookie), 0 },
	[MSG_ZYGOTE_READY] = { sizeof(struct msg_zygote_ready), 0 },
	[MSG_ZYGOTE_FAILED] = { sizeof(struct msg_zygote_failed), 0 },
	[MSG_SANDBOX_LISTENER] = { sizeof(struct msg_cookie), 1 },
	[MSG_HEALTHY] = { sizeof(struct msg_healthy), 0 },
	[MSG_PROBED] = { sizeof(struct msg_probed), 1 },
	[MSG_REGION] = { sizeof(struct msg_region), 0 },
	[MSG_SAMPLE] = { sizeof(struct msg_sample), 1 },
	[MSG_HEALTH] = { sizeof(struct msg_cookie), 0 },
	[MSG_PROBE] = { sizeof(struct msg_cookie), 0 },
	[MSG_PROBE_END] = { sizeof(struct msg_cookie), 0 },
	[MSG_ORDER_RESET] = { sizeof(struct msg_epoch), 0 },
	[MSG_ORDER_FORK] = { sizeof(struct msg_order), MSG_FDS_MAX },
	[MSG_ORDER_KILL] = { sizeof(struct msg_order), 0 },
	[MSG_ORDER_SAMPLE] = { sizeof(struct msg_sample), 0 },
	[MSG_REPORT_RESET] = { sizeof(struct msg_epoch), 0 },
	[MSG_REPORT_FORKED] = { sizeof(struct msg_report_forked), 0 },
	[MSG_REPORT_EXITED] = { sizeof(struct msg_report_exited), 0 },
};

_Static_assert(sizeof(struct msg_report_exited) <= MSG_BYTES_MAX, "exited report");
_Static_assert(sizeof(struct msg_children) <= MSG_BYTES_MAX, "children");
_Static_assert(sizeof(struct msg_penalties) <= MSG_BYTES_MAX, "penalties");
_Static_assert(sizeof(struct msg_stats_times) <= MSG_BYTES_MAX, "times");
_Static_assert(sizeof(struct msg_route) <= MSG_BYTES_MAX, "route");
_Static_assert(sizeof(struct msg_stats) <= MSG_BYTES_MAX, "stats");
_Static_assert(sizeof(struct msg_stats_end) <= MSG_BYTES_MAX, "end of stats");
_Static_assert(sizeof(struct msg_zygote_failed) <= MSG_BYTES_MAX, "failure");

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
};

size_t
msg_size(uint32_t type)
{
	return type < MSG_TYPE_MAX ? types[type].size : 0;
}

int
msg_channel_open(int fds_out[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds_out);
}

int
msg_send(int fd, const void *message, const int *fds, unsigned fds_count)
{
	const struct msg_header *header = message;
	struct iovec part = { (void *)message, header->size };
	struct msghdr out = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t sent;

	if (fds_count > 0) {
		out.msg_control = control.bytes;
		out.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
		struct cmsghdr *rights = CMSG_FIRSTHDR(&out);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(fds_count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, fds_count * sizeof(int));
	}
	do
		sent = sendmsg(fd, &out, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static void
take_fds(struct msghdr *in, struct msg_buffer *buffer)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(in); part != NULL; part = CMSG_NXTHDR(in, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count && buffer->fds_count < MSG_FDS_MAX; i++)
			memcpy(&buffer->fds[buffer->fds_count++], CMSG_DATA(part) + i * sizeof(int),
			       sizeof(int));
	}
}

static bool
is_valid(const struct msg_buffer *buffer, size_t length, int flags)
{
	struct msg_header header;

	if (length < sizeof(header) || (flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return false;
	memcpy(&header, buffer->bytes, sizeof(header));
	return header.size == length && msg_size(header.type) == length &&
	       buffer->fds_count <= types[header.type].fds_max;
}

int
msg_recv(int fd, struct msg_buffer *buffer)
{
	struct iovec part = { buffer->bytes, sizeof(buffer->bytes) };
	union control control;
	struct msghdr in = { .msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes) };
	ssize_t length;

	buffer->fds_count = 0;
	do
		length = recvmsg(fd, &in, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length <= 0)
		return (int)length;
	take_fds(&in, buffer);
	if (is_valid(buffer, (size_t)length, in.msg_flags))
		return 1;
	msg_close_fds(buffer);
	errno = EPROTO;
	return -1;
}

void
msg_close_fds(struct msg_buffer *buffer)
{
	for (unsigned i = 0; i < buffer->fds_count; i++)
		close(buffer->fds[i]);
	buffer->fds_count = 0;
}
