/*
 * Names of a client's certificate.
 *
 * Runs in: front. The certificate is hostile even if its authority signed it: a name may hold any
 * byte. What could be taken for the end of a name, or for another one, is escaped.
 */
#include "front/tls_peer.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct text {
	char *data;
	size_t size;
	size_t length;
	bool full;
};

static void
add_char(struct text *text, char c)
{
	if (text->length + 1 >= text->size) {
		text->full = true;
		return;
	}
	text->data[text->length++] = c;
	text->data[text->length] = '\0';
}

/* Visible ASCII but for ',' and '\'; others become \XX, as in RFC 2253. */
static void
add_escaped(struct text *text, const unsigned char *data, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < length; i++) {
		if (data[i] > 0x20 && data[i] < 0x7f && data[i] != ',' && data[i] != '\\') {
			add_char(text, (char)data[i]);
			continue;
		}
		add_char(text, '\\');
		add_char(text, digits[data[i] >> 4]);
		add_char(text, digits[data[i] & 15]);
	}
}

static void
add_name(struct text *text, const char *kind, const ASN1_STRING *name)
{
	if (text->length > 0)
		add_char(text, ',');
	while (*kind != '\0')
		add_char(text, *kind++);
	add_escaped(text, ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
}

static void
add_address(struct text *text, const ASN1_OCTET_STRING *name)
{
	char shown[INET6_ADDRSTRLEN];
	const int length = ASN1_STRING_length(name);
	ASN1_STRING *printable;

	if ((length != 4 && length != 16) ||
	    inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name), shown,
		      sizeof(shown)) == NULL)
		return;
	printable = ASN1_STRING_new();
	if (printable == NULL || ASN1_STRING_set(printable, shown, -1) != 1)
		text->full = true;
	else
		add_name(text, "IP:", printable);
	ASN1_STRING_free(printable);
}

/* Names of other kinds say nothing that a worker could compare. */
static void
add_general(struct text *text, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		add_name(text, "DNS:", name->d.dNSName);
		break;
	case GEN_EMAIL:
		add_name(text, "email:", name->d.rfc822Name);
		break;
	case GEN_URI:
		add_name(text, "URI:", name->d.uniformResourceIdentifier);
		break;
	case GEN_IPADD:
		add_address(text, name->d.iPAddress);
		break;
	default:
		break;
	}
}

static bool
read_san(const X509 *certificate, char *out, size_t size)
{
	struct text text = { .data = out, .size = size };
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_general(&text, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return !text.full;
}

/* XN_FLAG_RFC2253 escapes all that is not visible ASCII but the space. */
static bool
read_subject(const X509 *certificate, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	bool fits = bio != NULL && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
						      XN_FLAG_RFC2253) >= 0;
	long length = fits ? BIO_get_mem_data(bio, &data) : 0;

	fits = fits && length >= 0 && (size_t)length < size;
	if (fits)
		snprintf(out, size, "%.*s", (int)length, length > 0 ? data : "");
	BIO_free(bio);
	return fits;
}

const char *
tls_peer_read(const X509 *certificate, struct tls_peer *peer_out)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		return "the client's certificate has expired since its ticket was given";
	if (!read_subject(certificate, peer_out->subject, sizeof(peer_out->subject)) ||
	    !read_san(certificate, peer_out->san, sizeof(peer_out->san)))
		return "the names in the client's certificate are too long";
	if (peer_out->subject[0] == '\0' && peer_out->san[0] == '\0')
		return "the client's certificate has neither a subject nor another name";
	return NULL;
}
