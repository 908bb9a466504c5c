/*
 * Session tickets (RFC 5077; RFC 8446 section 4.6.1): encrypted by the present key, accepted under
 * the one before it as well. A key encrypts for one lifetime of a ticket and is wiped after the next,
 * so that whoever takes over the front later cannot read older connections.
 *
 * Runs in: front. All contexts share the keys; which sessions may be taken up by a context is a matter
 * of its session id context (tls.c).
 */
#include "front/tls_ticket.h"

#include "base/log.h"
#include "front/seed.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define NAME_BYTES 16
#define KEY_BYTES  32
#define IV_BYTES   16 /* of AES in CBC mode */

/* What the callback answers: ssl_ctx_set_tlsext_ticket_key_evp_cb(3). */
enum { TICKET_ERROR = -1, TICKET_UNKNOWN = 0, TICKET_GOOD = 1, TICKET_RENEW = 2 };

struct key {
	bool valid;
	unsigned char name[NAME_BYTES];
	unsigned char cipher[KEY_BYTES];
	unsigned char mac[KEY_BYTES];
};

static struct key present;
static struct key previous;
static EVP_CIPHER *cipher;
static uint64_t lifetime_ms;
static uint64_t made_ms;

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME,
		      &now); /* a machine that slept must not keep keys for longer */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool
make_key(struct key *key_out)
{
	key_out->valid = seed_take(key_out->name, sizeof(key_out->name)) &&
			 seed_take(key_out->cipher, sizeof(key_out->cipher)) &&
			 seed_take(key_out->mac, sizeof(key_out->mac));
	return key_out->valid;
}

void
tls_ticket_init(uint32_t lifetime)
{
	lifetime_ms = lifetime;
	if (lifetime == 0)
		return;
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	made_ms = now_ms();
	if (cipher == NULL || !make_key(&present))
		die("no keys for TLS session tickets can be made");
}

void
tls_ticket_tick(void)
{
	const uint64_t age_ms = now_ms() - made_ms;

	if (lifetime_ms == 0 || age_ms < lifetime_ms)
		return;
	previous = present;
	if (age_ms >= 2 * lifetime_ms)
		explicit_bzero(&previous, sizeof(previous));
	(void)make_key(&present); /* without one there are no tickets until the next tick */
	made_ms = now_ms();
}

static int
init_cipher(EVP_CIPHER_CTX *context, EVP_MAC_CTX *mac, const struct key *key,
	    const unsigned char *iv, int encrypt)
{
	static char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac,
						  sizeof(key->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex2(context, cipher, key->cipher, iv, encrypt, NULL) == 1 &&
	       EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *context,
	  EVP_MAC_CTX *mac, int encrypt)
{
	const struct key *key = &present;

	(void)ssl;
	tls_ticket_tick();
	if (encrypt) {
		if (!present.valid || !seed_take(iv, IV_BYTES))
			return TICKET_ERROR;
		memcpy(name, present.name, NAME_BYTES);
	} else if (previous.valid && memcmp(name, previous.name, NAME_BYTES) == 0) {
		key = &previous;
	} else if (!present.valid || memcmp(name, present.name, NAME_BYTES) != 0) {
		return TICKET_UNKNOWN;
	}
	if (!init_cipher(context, mac, key, iv, encrypt))
		return TICKET_ERROR;
	return key == &previous ? TICKET_RENEW : TICKET_GOOD;
}

bool
tls_ticket_enable(SSL_CTX *context)
{
	if (lifetime_ms == 0) {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		return SSL_CTX_set_num_tickets(context, 0) == 1;
	}
	/* One is enough for a client that comes back; OpenSSL would send two to each. */
	SSL_CTX_set_timeout(context, (long)((lifetime_ms + 999) / 1000));
	return SSL_CTX_set_num_tickets(context, 1) == 1 &&
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}
