/*
 * Socket activation: sd_listen_fds(3) by hand.
 *
 * Runs in: supervisor, at start. The service manager keeps the sockets while the daemon is down, so
 * connections wait in their queues during a restart. A socket is matched by its name
 * (FileDescriptorName= of its unit) to a `listen` of the configuration; its address is the unit's.
 */
#include "supervisor/service_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proto.h"

#define FIRST_FD  3			      /* SD_LISTEN_FDS_START */
#define NAMES_MAX (PROTO_LISTENERS_MAX * 256) /* a name has at most 255 characters */

static struct {
	int fd; /* -1: somebody has it */
	char name[256];
} sockets[PROTO_LISTENERS_MAX];
static unsigned sockets_count;

static void
keep(int fd, const char *name)
{
	if (sockets_count == PROTO_LISTENERS_MAX) {
		log_event(LOG_WARNING, "socket of the service manager not used",
			  "error=\"more than %d\"", PROTO_LISTENERS_MAX);
		close(fd);
		return;
	}
	sockets[sockets_count].fd = fd;
	snprintf(sockets[sockets_count].name, sizeof(sockets[0].name), "%s", name);
	sockets_count++;
}

static void
take(int count, const char *names)
{
	char text[NAMES_MAX];
	char *rest = text;

	snprintf(text, sizeof(text), "%s", names);
	for (int i = 0; i < count; i++) {
		const char *name = strsep(&rest, ":");
		if (fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC) < 0)
			die("LISTEN_FDS = %d, but descriptor %d is not open", count, FIRST_FD + i);
		keep(FIRST_FD + i, name != NULL && name[0] != '\0' ? name : "unknown");
	}
}

void
service_sockets_take(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	const long count = fds != NULL ? strtol(fds, NULL, 10) : 0;

	/* Meant for another process: sd_listen_fds(3). */
	if (pid != NULL && strtol(pid, NULL, 10) == (long)getpid() && count > 0 && count <= 1024)
		take((int)count, names != NULL ? names : "");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

static bool
is_stream_listener(int fd)
{
	int type = 0, listens = 0;
	socklen_t length = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		return false;
	length = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 &&
	       type == SOCK_STREAM && listens == 1;
}

int
service_sockets_find(const char *name)
{
	for (unsigned i = 0; i < sockets_count; i++) {
		const int fd = sockets[i].fd;
		if (fd < 0 || strcmp(sockets[i].name, name) != 0)
			continue;
		if (!is_stream_listener(fd) || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			die("listener \"%s\": the service manager's socket is no listening stream "
			    "socket: its unit needs ListenStream= and Accept=no",
			    name);
		sockets[i].fd = -1;
		return fd;
	}
	return -1;
}

void
service_sockets_close_rest(void)
{
	for (unsigned i = 0; i < sockets_count; i++) {
		if (sockets[i].fd < 0)
			continue;
		log_event(LOG_WARNING, "socket of the service manager not used",
			  "name=%.64s error=\"no listen of the configuration has that name: set "
			  "FileDescriptorName= of the socket unit\"",
			  sockets[i].name);
		close(sockets[i].fd);
		sockets[i].fd = -1;
	}
}
