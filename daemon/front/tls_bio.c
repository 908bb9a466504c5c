/*
 * OpenSSL's end of a session: it reads what the last recv brought, and what it writes is sent at once
 * or kept in `pending`. So writing never fails for want of room, and reading only when all is read.
 *
 * Runs in: front.
 */
#include "front/tls_session_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static BIO_METHOD *method;

static int
on_bio_read(BIO *bio, char *data, int size)
{
	struct tls_session *session = BIO_get_data(bio);
	size_t count = (size_t)size < session->input_bytes ? (size_t)size : session->input_bytes;

	BIO_clear_retry_flags(bio);
	if (count == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(data, session->input, count);
	session->input += count;
	session->input_bytes -= count;
	return (int)count;
}

/* Bytes that the socket took; -1 when it is broken. */
static ssize_t
send_some(struct tls_session *session, const void *data, size_t size)
{
	ssize_t sent = send(session->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	*session->moved_bytes += (uint64_t)sent;
	return sent;
}

static int
on_bio_write(BIO *bio, const char *data, int size)
{
	struct tls_session *session = BIO_get_data(bio);
	ssize_t sent = 0;

	BIO_clear_retry_flags(bio);
	if (!session->broken && tls_session_pending(session) == 0)
		sent = send_some(session, data, (size_t)size);
	if (sent < 0 || session->broken ||
	    evbuffer_add(session->pending, data + sent, (size_t)(size - sent)) < 0) {
		session->broken = true;
		return -1;
	}
	return size;
}

static long
on_bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

bool
tls_session_init(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "zygoted connection");
	return method != NULL && BIO_meth_set_read(method, on_bio_read) == 1 &&
	       BIO_meth_set_write(method, on_bio_write) == 1 &&
	       BIO_meth_set_ctrl(method, on_bio_control) == 1;
}

BIO *
tls_bio_new(struct tls_session *session)
{
	BIO *bio = BIO_new(method);

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	return bio;
}
