/*
 * The header by which a proxy tells whose connection it passes on: the PROXY protocol of HAProxy
 * ("The PROXY protocol, versions 1 & 2", 2020/03/05), both versions. Pure: the result depends on the
 * bytes alone, not on the pieces they come in.
 */
#ifndef ZYGOTED_FRONT_PROXY_HEADER_H
#define ZYGOTED_FRONT_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum proxy_limits {
	PROXY_V1_MAX = 107, /* section 2.1: with its line end */
	PROXY_V2_FIXED = 16,
	PROXY_V2_MAX =
		2048, /* with what follows the addresses; senders stay below 536 by default */
};

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_BAD };

struct proxy_header {
	size_t bytes;			/* of the header; what follows is the client's */
	bool is_known;			/* false: the proxy speaks for itself, or cannot tell */
	struct sockaddr_storage source; /* of the client, when known: AF_INET or AF_INET6 */
	const char *reason;		/* after PROXY_BAD: a literal for the log */
};

/*
 * `data` holds everything from the connection's first byte on. After PROXY_MORE all of it belongs
 * to the header. At most PROXY_V2_MAX bytes are needed to decide.
 */
enum proxy_result proxy_header_parse(const unsigned char *data, size_t length,
				     struct proxy_header *header_out)
	__attribute__((warn_unused_result));

#endif
