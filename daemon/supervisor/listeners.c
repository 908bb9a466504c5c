/*
 * Listening sockets.
 *
 * Runs in: supervisor, at start and at a reload. They stay open here as long as they are configured, so that connections
 * wait in the queue while a front is restarted; the supervisor itself never accepts.
 */
#include "supervisor/listeners.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/identity.h"
#include "supervisor/service_sockets.h"
#include "supervisor/unix_socket.h"

_Static_assert(LISTENERS_ERROR_MAX >= UNIX_SOCKET_ERROR_MAX, "room for what went wrong");

static const char *
advice(int error)
{
	switch (error) {
	case EADDRINUSE:
		return ": another program listens there; stop it or change `address`";
	case EACCES:
		return ": ports below 1024 need root or CAP_NET_BIND_SERVICE";
	case EADDRNOTAVAIL:
		return ": no interface of this machine has that address";
	case EAFNOSUPPORT:
		return ": the kernel does not offer this address family";
	default:
		return "";
	}
}

static int
fail(const struct config_listener *listener, const char *step, int fd, char *error)
{
	snprintf(error, LISTENERS_ERROR_MAX, "listener \"%s\": cannot %s %s: %s%s",
		 listener->front.name, step, listener->front.address, strerror(errno),
		 advice(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
open_unix(const struct config_listener *listener, const struct identity *identity,
	  struct unix_socket_file *file_out, char error[LISTENERS_ERROR_MAX])
{
	static const mode_t modes[CONFIG_ACCESS_MAX] = {
		[CONFIG_ACCESS_OWNER] = 0600,
		[CONFIG_ACCESS_GROUP] = 0660,
		[CONFIG_ACCESS_ALL] = 0666,
	};
	struct unix_socket wanted = {
		.path = listener->front.address + strlen(ADDRESS_UNIX),
		.what = "listener's socket",
		.key = "address",
		.mode = modes[listener->access],
		.user = identity->uid,
		.group = (gid_t)-1,
		.backlog = SOMAXCONN,
		.is_only_gate = true,
	};
	const struct group *group = listener->group[0] != '\0' ? getgrnam(listener->group) : NULL;

	if (group != NULL)
		wanted.group = group->gr_gid;
	else if (listener->group[0] != '\0') {
		snprintf(error, LISTENERS_ERROR_MAX,
			 "there is no group \"%s\": create it or change `group` of listen \"%s\"",
			 listener->group, listener->front.name);
		return -1;
	}
	return unix_socket_open(&wanted, file_out, error);
}

int
listeners_open_one(const struct config_listener *listener, const struct identity *identity,
		   struct unix_socket_file *file_out, char error[LISTENERS_ERROR_MAX])
{
	const int on = 1;
	struct sockaddr_storage address;
	socklen_t length;

	*file_out = (struct unix_socket_file){ 0 };
	if (address_parse(listener->front.address, &address, &length) < 0) {
		errno = EINVAL;
		return fail(listener, "understand", -1, error);
	}
	if (address.ss_family == AF_UNIX)
		return open_unix(listener, identity, file_out, error);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(listener, "open a socket for", fd, error);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (address.ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0))
		return fail(listener, "prepare", fd, error);
	if (bind(fd, (const struct sockaddr *)&address, length) < 0)
		return fail(listener, "bind to", fd, error);
	if (listen(fd, SOMAXCONN) < 0)
		return fail(listener, "listen on", fd, error);
	return fd;
}

/* The service manager's, if it has one of that name. */
static int
take_listener(const struct config_listener *listener, const struct identity *identity,
	      struct unix_socket_file *file_out)
{
	char error[LISTENERS_ERROR_MAX];
	int fd = service_sockets_find(listener->front.name);

	*file_out = (struct unix_socket_file){ 0 };
	if (fd < 0)
		fd = listeners_open_one(listener, identity, file_out, error);
	if (fd < 0)
		die("%s", error);
	return fd;
}

void
listeners_open(const struct config *config, const struct identity *identity,
	       struct listeners *listeners_out)
{
	for (uint32_t i = 0; i < config->listeners_count; i++)
		listeners_out->fds[i] =
			take_listener(&config->listeners[i], identity, &listeners_out->files[i]);
	listeners_out->count = config->listeners_count;
	listeners_out->config = config;
	service_sockets_close_rest();
}

void
listeners_remove_file(const struct config_listener *listener, struct unix_socket_file *file)
{
	if (file->inode != 0)
		unix_socket_remove(listener->front.address + strlen(ADDRESS_UNIX), file);
	*file = (struct unix_socket_file){ 0 };
}

void
listeners_close(struct listeners *listeners)
{
	for (uint32_t i = 0; i < listeners->count; i++) {
		if (listeners->fds[i] < 0)
			continue;
		listeners_remove_file(&listeners->config->listeners[i], &listeners->files[i]);
		close(listeners->fds[i]);
	}
	listeners->count = 0;
}
