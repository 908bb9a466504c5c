/*
 * Who a client is by its certificate, as text for workers and logs.
 */
#ifndef ZYGOTED_FRONT_TLS_PEER_H
#define ZYGOTED_FRONT_TLS_PEER_H

struct x509_st;

#define TLS_SUBJECT_MAX 1024 /* with the final NUL */
#define TLS_SAN_MAX	2048

struct tls_peer {
	char subject[TLS_SUBJECT_MAX]; /* RFC 2253: "CN=alice,O=Example" */
	char san[TLS_SAN_MAX]; /* "DNS:a.example,email:a@example.org,IP:192.0.2.1,URI:..." */
};

/*
 * The names in a certificate that was verified, all in visible ASCII. NULL, or why nobody can be told
 * by it: names are never cut.
 */
const char *tls_peer_read(const struct x509_st *certificate, struct tls_peer *peer_out);

#endif
