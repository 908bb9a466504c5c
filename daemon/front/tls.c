/*
 * Certificates in the front: from the supervisor's bundle to sets of contexts, and the choice among
 * them by the name that a client asks for.
 *
 * Runs in: front. Trusts the supervisor, which has made the same contexts from the same bytes before.
 * Keys are in OpenSSL's memory alone: the bundle is wiped as soon as it is read, and the front is not
 * dumpable.
 */
#include "front/tls.h"

#include "base/log.h"
#include "front/front.h"
#include "front/tls_session.h"
#include "front/tls_ticket.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- choice by name: RFC 6066 section 3 ---- */

static bool
is_for(const SSL_CTX *context, const char *name)
{
	return X509_check_host(SSL_CTX_get0_certificate(context), name, 0,
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* Settings other than certificate and staple stay those of the first: they are the listener's. */
static int
on_server_name(SSL *ssl, int *alert, void *argument)
{
	const struct tls_session *session = SSL_get_app_data(ssl);
	const struct tls_set *set = tls_session_set(session);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)argument;
	if (name == NULL || set == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	for (unsigned i = 0; i < set->count; i++)
		if (is_for(set->contexts[i], name))
			return SSL_set_SSL_CTX(ssl, set->contexts[i]) != NULL
				       ? SSL_TLSEXT_ERR_OK
				       : SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_NOACK;
}

/* ---- sets ---- */

void
tls_set_give_back(struct tls_set *set)
{
	if (set == NULL || --set->references > 0)
		return;
	for (unsigned i = 0; i < set->count; i++)
		tls_context_free(set->contexts[i]);
	free(set);
}

struct tls_set *
tls_set_take(struct front *front, uint32_t listener)
{
	struct tls_set *set = front->tls.sets[listener];

	if (set != NULL)
		set->references++;
	return set;
}

static void
free_all(struct tls *tls)
{
	for (unsigned i = 0; i < PROTO_LISTENERS_MAX; i++)
		tls_set_give_back(tls->sets[i]);
}

/*
 * A session may be taken up where it would come about: by the same listener, with the same demands on
 * clients. Other authorities of clients after a reload make it void.
 */
static bool
set_session_scope(SSL_CTX *context, const struct heritage_listener *listener,
		  const struct tls_source *source)
{
	const struct tls_text *authorities = &source->parts[TLS_PART_CLIENT_CA];
	unsigned char scope[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool set = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		   EVP_DigestUpdate(digest, listener, sizeof(*listener)) == 1 &&
		   EVP_DigestUpdate(digest, authorities->data, authorities->size) == 1 &&
		   EVP_DigestFinal_ex(digest, scope, &length) == 1 &&
		   length <= SSL_MAX_SID_CTX_LENGTH &&
		   SSL_CTX_set_session_id_context(context, scope, length) == 1;

	EVP_MD_CTX_free(digest);
	return set;
}

static SSL_CTX *
make_context(const struct heritage_listener *listener, const struct tls_source *source,
	     struct tls_error *error)
{
	SSL_CTX *context = tls_context_new(source, error);

	if (context == NULL)
		return NULL;
	SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
	if (tls_ticket_enable(context) && set_session_scope(context, listener, source))
		return context;
	snprintf(error->text, sizeof(error->text), "out of memory");
	tls_context_free(context);
	return NULL;
}

static bool
add_certificate(struct tls_set *set, const struct heritage_listener *listener,
		const struct tls_source *source, struct tls_error *error)
{
	if (set->count == TLS_CERTIFICATES_MAX || source->parts[TLS_PART_KEY].data == NULL) {
		snprintf(error->text, sizeof(error->text), "the bundle makes no sense");
		return false;
	}
	set->contexts[set->count] = make_context(listener, source, error);
	if (set->contexts[set->count] == NULL)
		return false;
	set->count++;
	return true;
}

/* ---- from a bundle ---- */

/* Authorities come first, and a chain begins the next certificate. */
static bool
fill_set(struct tls_set *set, const struct heritage_listener *listener, uint32_t index,
	 const struct tls_text *bundle, struct tls_error *error)
{
	struct tls_source source = { .client_verify = (enum client_verify)listener->client_verify,
				     .minimum = (enum tls_minimum)listener->tls_minimum,
				     .protocol = (enum protocol)listener->protocol };
	struct tls_text *parts = source.parts;
	struct tls_part part;
	struct tls_text text;
	size_t cursor = 0;

	while (tls_bundle_next(bundle->data, bundle->size, &cursor, &part, &text)) {
		if (part.listener != index)
			continue;
		if (part.kind == TLS_PART_CHAIN && parts[TLS_PART_CHAIN].data != NULL) {
			if (!add_certificate(set, listener, &source, error))
				return false;
			parts[TLS_PART_KEY] = parts[TLS_PART_STAPLE] = (struct tls_text){ NULL, 0 };
		}
		parts[part.kind] = text;
	}
	return add_certificate(set, listener, &source, error);
}

static bool
make_set(const struct heritage_front *heritage, uint32_t index, const struct tls_text *bundle,
	 struct tls_set **set_out, struct tls_error *error)
{
	struct tls_set *set = calloc(1, sizeof(*set));

	if (set == NULL) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return false;
	}
	set->references = 1;
	if (fill_set(set, &heritage->listeners[index], index, bundle, error)) {
		*set_out = set;
		return true;
	}
	tls_set_give_back(set);
	return false;
}

static bool
make_all(const struct heritage_front *heritage, const struct tls_text *bundle, struct tls *tls_out,
	 struct tls_error *error)
{
	*tls_out = (struct tls){ { NULL } };
	for (uint32_t i = 0; i < heritage->listeners_count; i++) {
		if (heritage->listeners[i].tls == 0 ||
		    make_set(heritage, i, bundle, &tls_out->sets[i], error))
			continue;
		free_all(tls_out);
		return false;
	}
	return true;
}

/* Closes `fd`. */
static bool
read_all(const struct heritage_front *heritage, int fd, uint32_t bytes, struct tls *tls_out,
	 struct tls_error *error)
{
	char *data = bytes <= TLS_BUNDLE_MAX ? malloc(bytes) : NULL;
	const struct tls_text bundle = { data, bytes };
	bool read = data != NULL && heritage_pread(fd, data, bytes) == 0;

	if (!read)
		snprintf(error->text, sizeof(error->text), "cannot be read: %s", strerror(errno));
	close(fd);
	read = read && make_all(heritage, &bundle, tls_out, error);
	if (data != NULL)
		explicit_bzero(data, bytes);
	free(data);
	return read;
}

void
tls_open(struct front *front)
{
	const struct heritage_front *heritage = front->heritage;
	struct tls_error error = { .text = "" };

	if (heritage->tls_bytes == 0) {
		close(FRONT_TLS_FD);
		return;
	}
	tls_library_init();
	tls_ticket_init(heritage->ticket_lifetime_ms);
	if (!tls_session_init() ||
	    !read_all(heritage, FRONT_TLS_FD, heritage->tls_bytes, &front->tls, &error))
		die("certificates cannot be loaded: %s", error.text);
}

bool
tls_replace(struct front *front, int fd, uint32_t bytes, char *error, size_t size)
{
	struct tls_error reason = { .text = "" };
	struct tls fresh;

	if (front->heritage->tls_bytes == 0) {
		close(fd);
		snprintf(error, size, "no listener speaks TLS");
		return false;
	}
	if (!read_all(front->heritage, fd, bytes, &fresh, &reason)) {
		snprintf(error, size, "%s", reason.text);
		return false;
	}
	free_all(&front->tls);
	front->tls = fresh;
	return true;
}
