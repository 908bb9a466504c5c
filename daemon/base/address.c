/*
 * Addresses of listeners, as text.
 *
 * Runs in: supervisor, zygotectl. Pure.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* As the kernel wants it. */
static int
parse_port(const char *text, in_port_t *port_out)
{
	const size_t digits = strspn(text, "0123456789");
	const unsigned long port = strtoul(text, NULL, 10);

	*port_out = htons((uint16_t)port);
	return digits > 0 && text[digits] == '\0' && port >= 1 && port <= 65535 ? 0 : -1;
}

/* The part before the last ':' without brackets, and the port after it. */
static int
split_address(const char *text, char *host_out, size_t size, in_port_t *port_out)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	if (length == 0 || parse_port(colon + 1, port_out) < 0)
		return -1;
	if (text[0] == '[') {
		if (length < 2 || text[length - 1] != ']')
			return -1;
		text++;
		length -= 2;
	}
	if (length >= size)
		return -1;
	memcpy(host_out, text, length);
	host_out[length] = '\0';
	return 0;
}

static int
parse_unix(const char *path, struct sockaddr_un *address_out, socklen_t *length_out)
{
	const size_t length = strlen(path);

	if (path[0] != '/' || length < 2 || path[length - 1] == '/' ||
	    length >= sizeof(address_out->sun_path))
		return -1;
	address_out->sun_family = AF_UNIX;
	memcpy(address_out->sun_path, path, length + 1);
	*length_out = sizeof(*address_out);
	return 0;
}

int
address_parse(const char *text, struct sockaddr_storage *address_out, socklen_t *length_out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address_out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address_out;
	char host[INET6_ADDRSTRLEN];
	in_port_t port;

	memset(address_out, 0, sizeof(*address_out));
	if (strncmp(text, ADDRESS_UNIX, strlen(ADDRESS_UNIX)) == 0)
		return parse_unix(text + strlen(ADDRESS_UNIX), (struct sockaddr_un *)address_out,
				  length_out);
	if (split_address(text, host, sizeof(host), &port) < 0)
		return -1;
	if (text[0] == '[') {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		*length_out = sizeof(*v6);
		return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? 0 : -1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = port;
	*length_out = sizeof(*v4);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -1;
}
