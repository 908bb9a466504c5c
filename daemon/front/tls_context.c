/*
 * Contexts of TLS: versions, ciphers, certificate, key, staple, authorities of clients.
 *
 * Runs in: front, and supervisor to check files. Reads memory alone: no file is opened, and no
 * passphrase asked for. What is offered is the "intermediate" set of Mozilla's Server Side TLS
 * guidelines, version 5.7, without finite-field Diffie-Hellman, and with the server's order among
 * equals.
 */
#include "front/tls_context.h"

#include "base/log.h"
#include "front/tls_staple.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* For TLS 1.2; OpenSSL's defaults for 1.3 are all three that there should be. */
#define CIPHERS                                                                                    \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                               \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                               \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* OpenSSL's level 2: 112 bits; RSA keys from 2048 bits on, no SHA-1 in signatures. */
#define SECURITY_LEVEL 2

/* Bytes of a client's certificates; OpenSSL takes 100 KiB otherwise. */
#define CLIENT_CHAIN_MAX (32 * 1024)

void
tls_library_init(void)
{
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
				     OPENSSL_INIT_LOAD_SSL_STRINGS,
			     NULL) != 1)
		die("OpenSSL cannot be initialised");
}

static bool
fail(struct tls_error *error, enum tls_part_kind part, const char *text)
{
	char reason[120] = "";
	const unsigned long code = ERR_peek_last_error();

	error->part = part;
	if (code != 0)
		snprintf(reason, sizeof(reason), " (%s)", ERR_reason_error_string(code));
	snprintf(error->text, sizeof(error->text), "%s%s", text, reason);
	ERR_clear_error();
	return false;
}

/* A key that is encrypted: nobody is there to be asked. */
static int
on_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

/* NULL, when out of memory, reads as an error. */
static BIO *
open_text(const struct tls_text *text)
{
	return BIO_new_mem_buf(text->data, (int)text->size);
}

/* The next certificate. NULL at the end, or after an error that stays on OpenSSL's list. */
static X509 *
read_certificate(BIO *bio)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	if (certificate == NULL && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
		ERR_clear_error();
	return certificate;
}

static bool
use_first(SSL_CTX *context, BIO *bio, struct tls_error *error)
{
	X509 *certificate = read_certificate(bio);
	bool used;

	if (certificate == NULL)
		return fail(error, TLS_PART_CHAIN,
			    "is no certificate in PEM: it must have a BEGIN CERTIFICATE line");
	used = SSL_CTX_use_certificate(context, certificate) == 1;
	X509_free(certificate);
	return used || fail(error, TLS_PART_CHAIN, "cannot be used: get another certificate");
}

static bool
use_rest(SSL_CTX *context, BIO *bio, struct tls_error *error)
{
	X509 *certificate;
	bool used = true;

	while (used && (certificate = read_certificate(bio)) != NULL) {
		used = SSL_CTX_add1_chain_cert(context, certificate) == 1;
		X509_free(certificate);
	}
	return (used && ERR_peek_error() == 0) ||
	       fail(error, TLS_PART_CHAIN, "has a certificate in its chain that cannot be used");
}

static bool
use_chain(SSL_CTX *context, const struct tls_text *text, struct tls_error *error)
{
	BIO *bio = open_text(text);
	bool used = use_first(context, bio, error) && use_rest(context, bio, error);

	BIO_free(bio);
	return used;
}

static bool
use_key(SSL_CTX *context, const struct tls_text *text, struct tls_error *error)
{
	bool encrypted = false;
	BIO *bio = open_text(text);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &encrypted);
	bool used = false;

	BIO_free(bio);
	if (encrypted) {
		ERR_clear_error();
		fail(error, TLS_PART_KEY,
		     "is encrypted: remove the passphrase with openssl pkey, and let root alone "
		     "read the file");
	} else if (key == NULL) {
		fail(error, TLS_PART_KEY, "is no private key in PEM");
	} else if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1) {
		ERR_clear_error();
		fail(error, TLS_PART_KEY, "is not the key of its certificate");
	} else if (SSL_CTX_use_PrivateKey(context, key) != 1) {
		fail(error, TLS_PART_KEY, "cannot be used");
	} else {
		used = true;
	}
	EVP_PKEY_free(key);
	return used;
}

/* Names of the authorities are sent to clients, so that they can choose a certificate. */
static bool
use_client_ca(SSL_CTX *context, const struct tls_text *text, struct tls_error *error)
{
	BIO *bio = open_text(text);
	X509 *certificate;
	unsigned count = 0;
	bool used = true;

	while (used && (certificate = read_certificate(bio)) != NULL) {
		used = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 &&
		       SSL_CTX_add_client_CA(context, certificate) == 1;
		X509_free(certificate);
		count++;
	}
	BIO_free(bio);
	if (!used || ERR_peek_error() != 0)
		return fail(error, TLS_PART_CLIENT_CA, "has a certificate that cannot be used");
	if (count == 0)
		return fail(error, TLS_PART_CLIENT_CA,
			    "is no certificate in PEM: it must have a BEGIN CERTIFICATE line");
	return true;
}

/*
 * RFC 7301: the first protocol of ours that the client knows; none is a fatal alert. A client that
 * does not ask gets HTTP/1.1 as on a plain connection.
 */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
	unsigned in_length, void *argument)
{
	static const unsigned char http[] = "\x08http/1.1\x08http/1.0";

	(void)ssl;
	/* Frames have no name there: who asks for a protocol means another one (RFC 7301 section 3.2). */
	if (argument == NULL)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_select_next_proto((unsigned char **)out, out_length, http, sizeof(http) - 1, in,
				     in_length) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void
set_verification(SSL_CTX *context, enum client_verify verify)
{
	static const int modes[CLIENT_VERIFY_MAX] = {
		[CLIENT_VERIFY_NONE] = SSL_VERIFY_NONE,
		[CLIENT_VERIFY_OPTIONAL] = SSL_VERIFY_PEER,
		[CLIENT_VERIFY_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	};

	SSL_CTX_set_verify(context, modes[verify], NULL);
	SSL_CTX_set_max_cert_list(context, CLIENT_CHAIN_MAX);
}

static bool
set_up(SSL_CTX *context, const struct tls_source *source)
{
	const int version = source->minimum == TLS_MINIMUM_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

	SSL_CTX_set_security_level(context, SECURITY_LEVEL);
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, on_alpn,
				   source->protocol == PROTOCOL_FRAME ? NULL : context);
	set_verification(context, source->client_verify);
	return SSL_CTX_set_min_proto_version(context, version) == 1 &&
	       SSL_CTX_set_cipher_list(context, CIPHERS) == 1 &&
	       SSL_CTX_set1_groups_list(context, GROUPS) == 1;
}

static bool
fill(SSL_CTX *context, const struct tls_source *source, struct tls_error *error)
{
	const struct tls_text *parts = source->parts;

	if (!set_up(context, source))
		return fail(error, TLS_PART_CHAIN, "cannot be offered by this OpenSSL");
	if (!use_chain(context, &parts[TLS_PART_CHAIN], error) ||
	    !use_key(context, &parts[TLS_PART_KEY], error))
		return false;
	if (parts[TLS_PART_CLIENT_CA].data != NULL &&
	    !use_client_ca(context, &parts[TLS_PART_CLIENT_CA], error))
		return false;
	if (parts[TLS_PART_STAPLE].data == NULL)
		return true;
	const char *wrong = tls_staple_use(context, &parts[TLS_PART_STAPLE]);
	return wrong == NULL || fail(error, TLS_PART_STAPLE, wrong);
}

SSL_CTX *
tls_context_new(const struct tls_source *source, struct tls_error *error_out)
{
	SSL_CTX *context;

	ERR_clear_error();
	error_out->text[0] = '\0';
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL) {
		fail(error_out, TLS_PART_CHAIN, "cannot be loaded");
		return NULL;
	}
	if (fill(context, source, error_out))
		return context;
	tls_context_free(context);
	return NULL;
}

void
tls_context_free(SSL_CTX *context)
{
	SSL_CTX_free(context);
}

int64_t
tls_context_certificate_left(const SSL_CTX *context)
{
	const X509 *certificate = SSL_CTX_get0_certificate(context);
	int days = 0;
	int seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
		return INT64_MAX;
	return (int64_t)days * 86400 + seconds;
}

int64_t
tls_context_staple_left(const SSL_CTX *context)
{
	return tls_staple_left(context);
}
