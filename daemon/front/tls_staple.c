/*
 * OCSP stapling. Whether an authority's signature is good is for clients to judge; here the response
 * must be about our certificate, say that it is good, and be in date.
 *
 * Runs in: front, and supervisor to check files.
 */
#include "front/tls_staple.h"

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Belongs to its context and goes with the last connection that uses it. */
struct staple {
	ASN1_GENERALIZEDTIME *until; /* NULL: no end */
	size_t size;
	unsigned char data[];
};

static void
staple_free(struct staple *staple)
{
	if (staple != NULL)
		ASN1_GENERALIZEDTIME_free(staple->until);
	free(staple);
}

static void
on_context_free(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number,
		void *argument)
{
	(void)parent;
	(void)all;
	(void)index;
	(void)number;
	(void)argument;
	staple_free(data);
}

static int
staple_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_context_free);
	return index;
}

static int64_t
seconds_left(const struct staple *staple)
{
	int days = 0;
	int seconds = 0;

	if (staple == NULL || staple->until == NULL ||
	    ASN1_TIME_diff(&days, &seconds, NULL, staple->until) != 1)
		return INT64_MAX;
	return (int64_t)days * 86400 + seconds;
}

int64_t
tls_staple_left(const SSL_CTX *context)
{
	return seconds_left(SSL_CTX_get_ex_data(context, staple_index()));
}

static int
on_status_request(SSL *ssl, void *argument)
{
	const struct staple *staple = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), staple_index());
	unsigned char *copy;

	(void)argument;
	if (staple == NULL || seconds_left(staple) <= 0)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(staple->data, staple->size);
	if (copy == NULL || SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)staple->size) != 1) {
		OPENSSL_free(copy);
		return SSL_TLSEXT_ERR_NOACK;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* The word about the certificate of that serial number; NULL: there is none. */
static OCSP_SINGLERESP *
find_single(OCSP_BASICRESP *basic, const ASN1_INTEGER *serial)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_INTEGER *its = NULL;

		OCSP_id_get0_info(NULL, NULL, NULL, &its,
				  (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single));
		if (its != NULL && ASN1_INTEGER_cmp(its, serial) == 0)
			return single;
	}
	return NULL;
}

static const char *
judge(const SSL_CTX *context, OCSP_BASICRESP *basic, ASN1_GENERALIZEDTIME **until_out)
{
	const X509 *certificate = SSL_CTX_get0_certificate(context);
	OCSP_SINGLERESP *single = find_single(basic, X509_get0_serialNumber(certificate));
	ASN1_GENERALIZEDTIME *until = NULL;

	if (single == NULL)
		return "is about another certificate";
	if (OCSP_single_get0_status(single, NULL, NULL, NULL, &until) != V_OCSP_CERTSTATUS_GOOD)
		return "does not say that the certificate is good";
	*until_out = until != NULL ? ASN1_STRING_dup(until) : NULL;
	return NULL;
}

static const char *
keep(SSL_CTX *context, const struct tls_text *text, ASN1_GENERALIZEDTIME *until)
{
	struct staple *staple = malloc(sizeof(*staple) + text->size);

	if (staple == NULL) {
		ASN1_GENERALIZEDTIME_free(until);
		return "cannot be kept: out of memory";
	}
	staple->until = until;
	staple->size = text->size;
	memcpy(staple->data, text->data, text->size);
	if (SSL_CTX_set_ex_data(context, staple_index(), staple) != 1) {
		staple_free(staple);
		return "cannot be kept: out of memory";
	}
	SSL_CTX_set_tlsext_status_cb(context, on_status_request);
	return NULL;
}

const char *
tls_staple_use(SSL_CTX *context, const struct tls_text *text)
{
	const unsigned char *at = (const unsigned char *)text->data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)text->size);
	OCSP_BASICRESP *basic = NULL;
	ASN1_GENERALIZEDTIME *until = NULL;
	const char *wrong = "is no OCSP response in DER";

	if (response != NULL && OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		wrong = "is the answer of a responder that failed: fetch another one";
	else if (response != NULL && (basic = OCSP_response_get1_basic(response)) != NULL)
		wrong = judge(context, basic, &until);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return wrong != NULL ? wrong : keep(context, text, until);
}
