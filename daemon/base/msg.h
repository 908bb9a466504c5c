/*
 * Sending and receiving the messages of proto.h over SOCK_SEQPACKET channels.
 */
#ifndef ZYGOTED_BASE_MSG_H
#define ZYGOTED_BASE_MSG_H

#include "base/proto.h"

#include <stddef.h>

#define MSG_BYTES_MAX 1024 /* no message is larger; asserted in msg.c */
#define MSG_FDS_MAX   (2 * PROTO_BATCH_MAX)

/* A received message: the bytes, aligned for any of proto.h's structs, and the descriptors that
 * came along. */
struct msg_buffer {
	_Alignas(8) unsigned char bytes[MSG_BYTES_MAX];
	int fds[MSG_FDS_MAX];
	unsigned fds_count;
};

/* The size that messages of this type have; 0 for an unknown type. */
size_t msg_size(uint32_t type);

/* Both ends non-blocking and close-on-exec. 0, or -1 with errno. */
int msg_channel_open(int fds_out[2]) __attribute__((warn_unused_result));

/* Fills in type and size of a message struct whose first member is its header. */
#define msg_init(message, msg_type)                                                                \
	((message)->header = (struct msg_header){ (msg_type), sizeof(*(message)) })

/*
 * Sends one message, never blocking. The descriptors stay the caller's to close. 0, or -1 with
 * errno: EAGAIN when the channel is full, EPIPE or ECONNRESET when the peer is gone.
 */
int msg_send(int fd, const void *message, const int *fds, unsigned fds_count)
	__attribute__((warn_unused_result));

/*
 * Receives one message, never blocking. 1: one is there, checked for type, exact size and number of
 * descriptors, and its descriptors are the caller's. 0: the peer closed. -1 with errno: EAGAIN,
 * EPROTO for a malformed one (its descriptors are closed), or another error.
 */
int msg_recv(int fd, struct msg_buffer *buffer) __attribute__((warn_unused_result));

/* Closes the descriptors of a message that is not wanted. */
void msg_close_fds(struct msg_buffer *buffer);

#endif
