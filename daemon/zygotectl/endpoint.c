/*
 * Connecting to a listener.
 *
 * Runs in: zygotectl, as the operator. A wildcard address is that of this machine to connect(2) as well.
 */
#include "zygotectl/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static socklen_t
parse_unix(const char *path, union endpoint *out)
{
	if (path[0] != '/' || strlen(path) >= sizeof(out->local.sun_path))
		return 0;
	out->local.sun_family = AF_UNIX;
	memcpy(out->local.sun_path, path, strlen(path) + 1);
	return sizeof(out->local);
}

/* What stands before the port, without brackets. 0 when there is no such thing. */
static int
split(const char *address, char host[INET6_ADDRSTRLEN], uint16_t *port_out)
{
	const char *colon = strrchr(address, ':');
	const int is_v6 = address[0] == '[';
	const char *start = address + is_v6;
	size_t length = colon != NULL ? (size_t)(colon - start) : 0;
	char *end = NULL;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;

	if (is_v6 && length > 0 && start[--length] != ']')
		return 0;
	if (length == 0 || length >= INET6_ADDRSTRLEN || port == 0 || port > 65535 || *end != '\0')
		return 0;
	memcpy(host, start, length);
	host[length] = '\0';
	*port_out = htons((uint16_t)port);
	return 1;
}

/* 0 when it is none. */
static socklen_t
parse(const char *address, union endpoint *out)
{
	char host[INET6_ADDRSTRLEN];
	uint16_t port;

	memset(out, 0, sizeof(*out));
	if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_unix(address + strlen(UNIX_PREFIX), out);
	if (!split(address, host, &port))
		return 0;
	if (address[0] == '[') {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = port;
		return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 ? sizeof(out->v6) : 0;
	}
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = port;
	return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? sizeof(out->v4) : 0;
}

int
endpoint_connect(const char *address)
{
	union endpoint endpoint;
	const socklen_t length = parse(address, &endpoint);
	int fd;

	if (length == 0) {
		fprintf(stderr,
			"zygotectl: %s is no address: write it as in the configuration, like "
			"127.0.0.1:9000, [::1]:9000 or unix:/PATH\n",
			address);
		return -1;
	}
	fd = socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &endpoint.any, length) == 0)
		return fd;
	fprintf(stderr, "zygotectl: cannot connect to %s: %s\n", address, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
