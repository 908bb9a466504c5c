/*
 * Records between a socket and OpenSSL.
 *
 * Runs in: front. OpenSSL never touches the socket itself. What one recv brought is offered to it by
 * a BIO of our own until it has taken all of it, so there is one system call for a read and no copy
 * beside OpenSSL's own; what it writes is sent at once, and what the socket does not take waits in
 * `pending`. So OpenSSL never has to be called again with what it was called with before, and its own
 * buffers are empty between calls and released (SSL_MODE_RELEASE_BUFFERS).
 *
 * Bounds: `pending` holds a record of an answer at most, because nothing is encrypted while it holds
 * any; and what a client's messages make OpenSSL answer, because the connection is not read from
 * while it holds much.
 */
#include "front/tls_session.h"

#include "front/tls.h"
#include "front/tls_peer.h"
#include "front/tls_session_parts.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECORD_BYTES SSL3_RT_MAX_PLAIN_LENGTH

/* ---- life ---- */

static bool
open_ssl(struct tls_session *session)
{
	BIO *bio = tls_bio_new(session);

	if (bio == NULL)
		return false;
	session->ssl = SSL_new(session->set->contexts[0]);
	if (session->ssl == NULL || SSL_set_app_data(session->ssl, session) != 1) {
		BIO_free(bio);
		return false;
	}
	SSL_set_bio(session->ssl, bio, bio);
	SSL_set_accept_state(session->ssl);
	return true;
}

struct tls_session *
tls_session_new(struct tls_set *set, int fd, uint64_t *moved_bytes)
{
	struct tls_session *session = calloc(1, sizeof(*session));

	if (session == NULL) {
		tls_set_give_back(set);
		return NULL;
	}
	session->set = set;
	session->fd = fd;
	session->moved_bytes = moved_bytes;
	session->failure = "";
	session->pending = evbuffer_new();
	if (session->pending != NULL && open_ssl(session))
		return session;
	tls_session_free(session);
	return NULL;
}

void
tls_session_free(struct tls_session *session)
{
	if (session == NULL)
		return;
	SSL_free(session->ssl);
	tls_set_give_back(session->set);
	if (session->pending != NULL)
		evbuffer_free(session->pending);
	free(session->peer);
	free(session);
}

const struct tls_set *
tls_session_set(const struct tls_session *session)
{
	return session->set;
}

/* ---- handshake ---- */

static bool
fail(struct tls_session *session, const char *reason)
{
	session->failed = true;
	session->failure = reason != NULL ? reason : "unknown";
	ERR_clear_error();
	errno = EPROTO;
	return false;
}

static bool
read_peer(struct tls_session *session)
{
	const X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	const char *wrong;

	if (certificate == NULL)
		return true;
	if (SSL_get_verify_result(session->ssl) != X509_V_OK)
		return fail(session, "the client's certificate was not verified");
	session->peer = malloc(sizeof(*session->peer));
	if (session->peer == NULL)
		return fail(session, "out of memory");
	wrong = tls_peer_read(certificate, session->peer);
	return wrong == NULL || fail(session, wrong);
}

static const char *
describe_failure(struct tls_session *session)
{
	const long verified = SSL_get_verify_result(session->ssl);
	const unsigned long code = ERR_peek_error();

	session->met_http = ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return X509_verify_cert_error_string(verified);
	return code != 0 ? ERR_reason_error_string(code) : "the connection broke";
}

/* False, with errno: it is not over yet (EAGAIN), or has failed. */
static bool
shake_hands(struct tls_session *session)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(session->ssl);
	if (result != 1 && SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ) {
		errno = EAGAIN;
		return false;
	}
	if (result != 1)
		return fail(session, describe_failure(session));
	if (!read_peer(session))
		return false;
	session->established = true;
	tls_set_give_back(session->set);
	session->set = NULL;
	return true;
}

/* ---- input ---- */

/* False when OpenSSL can do nothing more with what it was called for. */
static bool
take_end(struct tls_session *session)
{
	switch (SSL_get_error(session->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		session->ended = true;
		return true;
	default:
		return fail(session, describe_failure(session));
	}
}

/*
 * All of what the socket brought; OpenSSL keeps a record that is not complete. It is not asked once
 * more when it has nothing left: that costs as much as a small record.
 */
static ssize_t
decrypt(struct tls_session *session, char *data)
{
	const size_t size = TLS_SESSION_READ + TLS_SESSION_SLACK;
	size_t done = 0;
	size_t count;

	ERR_clear_error();
	while (session->input_bytes > 0 || SSL_has_pending(session->ssl)) {
		if (SSL_read_ex(session->ssl, data + done, size - done, &count) != 1) {
			if (!take_end(session))
				return -1;
			break;
		}
		done += count;
	}
	if (done > 0 || session->ended)
		return (ssize_t)done;
	errno = EAGAIN;
	return -1;
}

ssize_t
tls_session_read(struct tls_session *session, void *data)
{
	static char records[TLS_SESSION_READ]; /* empty between calls */
	ssize_t count = recv(session->fd, records, sizeof(records), 0);

	if (count <= 0)
		return count;
	*session->moved_bytes += (uint64_t)count;
	if (session->failed) {
		errno = EPROTO;
		return -1;
	}
	session->input = records;
	session->input_bytes = (size_t)count;
	count = -1;
	if (session->established || shake_hands(session))
		count = decrypt(session, data);
	session->input_bytes = 0;
	if (session->broken) {
		errno = EPIPE;
		return -1;
	}
	return count;
}

bool
tls_session_has_ended(const struct tls_session *session)
{
	return session->ended;
}

bool
tls_session_is_established(const struct tls_session *session)
{
	return session->established;
}

bool
tls_session_is_resumed(const struct tls_session *session)
{
	return SSL_session_reused(session->ssl) == 1;
}

const char *
tls_session_failure(const struct tls_session *session)
{
	return session->failure;
}

bool
tls_session_met_http(const struct tls_session *session)
{
	return session->met_http;
}

/* ---- output ---- */

static void
flush_pending(struct tls_session *session)
{
	while (!session->broken && evbuffer_get_length(session->pending) > 0) {
		int written = evbuffer_write(session->pending, session->fd);

		if (written <= 0) {
			session->broken = written == 0 || (errno != EAGAIN && errno != EINTR);
			return;
		}
		*session->moved_bytes += (uint64_t)written;
	}
}

/* One record from the start of `out`. */
static void
encrypt(struct tls_session *session, struct evbuffer *out)
{
	const size_t length = evbuffer_get_length(out);
	const size_t piece = length < RECORD_BYTES ? length : RECORD_BYTES;
	const unsigned char *data = evbuffer_pullup(out, (ev_ssize_t)piece);
	size_t written = 0;

	ERR_clear_error();
	if (data == NULL || SSL_write_ex(session->ssl, data, piece, &written) != 1 ||
	    evbuffer_drain(out, written) < 0)
		session->broken = true;
}

bool
tls_session_write(struct tls_session *session, struct evbuffer *out)
{
	flush_pending(session);
	if (!session->established || session->failed)
		return !session->broken && evbuffer_get_length(out) == 0;
	while (!session->broken && tls_session_pending(session) == 0 &&
	       evbuffer_get_length(out) > 0)
		encrypt(session, out);
	return !session->broken;
}

size_t
tls_session_pending(const struct tls_session *session)
{
	return evbuffer_get_length(session->pending);
}

void
tls_session_take_pending(struct tls_session *session, struct evbuffer *out)
{
	if (evbuffer_add_buffer(out, session->pending) < 0)
		evbuffer_drain(session->pending, tls_session_pending(session));
}

void
tls_session_end(struct tls_session *session)
{
	if (session->said_end || !session->established || session->failed || session->broken)
		return;
	session->said_end = true;
	ERR_clear_error();
	(void)SSL_shutdown(session->ssl);
}

/* ---- what is known ---- */

/* The client chose it: what could not be a host's name is not passed on. */
static const char *
server_name(const SSL *ssl)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	return name != NULL && name[strspn(name, letters)] == '\0' ? name : "";
}

void
tls_session_info(const struct tls_session *session, struct tls_info *info_out)
{
	*info_out = (struct tls_info){
		.version = SSL_get_version(session->ssl),
		.cipher = SSL_get_cipher_name(session->ssl),
		.server_name = server_name(session->ssl),
		.subject = session->peer != NULL ? session->peer->subject : "",
		.san = session->peer != NULL ? session->peer->san : "",
	};
}
