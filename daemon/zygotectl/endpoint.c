/*
 * Connecting to a listener.
 *
 * Runs in: zygotectl, as the operator. A wildcard address is that of this machine to connect(2) as well.
 */
#include "zygotectl/endpoint.h"

#include "base/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
endpoint_connect(const char *address)
{
	struct sockaddr_storage endpoint;
	socklen_t length;
	int fd;

	if (address_parse(address, &endpoint, &length) < 0) {
		fprintf(stderr,
			"zygotectl: %s is no address: write it as in the configuration, like "
			"127.0.0.1:9000, [::1]:9000 or unix:/PATH\n",
			address);
		return -1;
	}
	fd = socket(endpoint.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&endpoint, length) == 0)
		return fd;
	fprintf(stderr, "zygotectl: cannot connect to %s: %s\n", address, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
