/*
 * The control socket's file and its peers.
 *
 * Runs in: supervisor. The rule: a peer is judged by what the kernel says about it, never by what
 * it says; and no file is removed here that is not a socket nobody listens at.
 */
#include "supervisor/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/identity.h"

#define CONTROL_BACKLOG 64
#define PEER_GROUPS_MAX 1024

void
control_socket_resolve_rights(const char *group, const struct identity *identity,
			      struct control_rights *rights_out)
{
	const struct group *entry;

	*rights_out = (struct control_rights){ .user = identity->uid };
	if (group[0] == '\0')
		return;
	entry = getgrnam(group);
	if (entry != NULL)
		rights_out->group = entry->gr_gid;
	else
		die("there is no group \"%s\": create it or change `control_group`", group);
	rights_out->has_group = true;
}

static struct sockaddr_un
make_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
	    (int)sizeof(address.sun_path))
		die("control socket path is too long: %s", path);
	return address;
}

/* A directory that others can write to would let them put their own socket in our place. */
static void
check_directory(const char *directory)
{
	struct stat status;

	if (lstat(directory, &status) < 0)
		die("directory of the control socket %s: %s; create it or change `control`",
		    directory, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		die("%s is no directory: remove it or change `control`", directory);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		die("directory of the control socket %s belongs to another user: change `control`",
		    directory);
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0)
		die("directory of the control socket %s can be written by others: chmod go-w it",
		    directory);
}

/* Members of the reading group must get through the directory. */
static void
make_directory(const char *directory, const struct control_rights *rights)
{
	if (strncmp(directory, "/run/", 5) != 0 && strncmp(directory, "/tmp/", 5) != 0)
		return;
	if (mkdir(directory, 0700) < 0) {
		if (errno != EEXIST)
			die("cannot make directory %s: %s", directory, strerror(errno));
		return;
	}
	if (!rights->has_group)
		return;
	if (chown(directory, (uid_t)-1, rights->group) < 0 || chmod(directory, 0710) < 0)
		log_event(LOG_WARNING, "directory not given to the group",
			  "path=\"%s\" error=\"%s\"", directory, strerror(errno));
}

static void
prepare_directory(const char *path, const struct control_rights *rights)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return;
	*slash = '\0';
	make_directory(directory, rights);
	check_directory(directory);
}

/* EAGAIN says that the other daemon's queue is full: it lives. */
static bool
is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("cannot open a socket: %s", strerror(errno));
	int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	bool answered = result == 0 || errno == EAGAIN;
	close(fd);
	return answered;
}

static void
remove_stale(const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return;
	if (!S_ISSOCK(status.st_mode))
		die("%s is there and is no socket: remove it or change `control`",
		    address->sun_path);
	if (is_answered(address))
		die("another daemon answers at %s: stop it or change `control`", address->sun_path);
	if (unlink(address->sun_path) < 0)
		die("cannot remove the old socket %s: %s", address->sun_path, strerror(errno));
}

/*
 * The daemon's user may command, so it must be able to connect; only root can give the file away.
 */
static void
hand_over(const char *path, const struct control_rights *rights)
{
	const uid_t user = geteuid() == 0 ? rights->user : (uid_t)-1;
	const gid_t group = rights->has_group ? rights->group : (gid_t)-1;

	if (lchown(path, user, group) < 0)
		log_event(LOG_WARNING, "control socket not given to user and group", "error=\"%s\"",
			  strerror(errno));
}

int
control_socket_open(const char *path, const struct control_rights *rights)
{
	const struct sockaddr_un address = make_address(path);
	int fd;

	prepare_directory(path, rights);
	remove_stale(&address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("cannot open the control socket: %s", strerror(errno));
	/* The mode is right from the first moment on. */
	mode_t before = umask(0117);
	int result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (result < 0)
		die("cannot bind the control socket to %s: %s", path, strerror(errno));
	hand_over(path, rights);
	if (listen(fd, CONTROL_BACKLOG) < 0)
		die("cannot listen on the control socket %s: %s", path, strerror(errno));
	return fd;
}

static bool
is_in_group(int fd, const struct ucred *peer, gid_t group)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (peer->gid == group)
		return true;
	/* The peer's groups when it connected; Linux 4.13. Asking the name service instead could
	 * block. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

enum control_access
control_socket_access(int fd, const struct control_rights *rights)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return CONTROL_NONE;
	if (peer.uid == 0 || peer.uid == geteuid() || peer.uid == rights->user)
		return CONTROL_ADMIN;
	if (rights->has_group && is_in_group(fd, &peer, rights->group))
		return CONTROL_READ;
	return CONTROL_NONE;
}
