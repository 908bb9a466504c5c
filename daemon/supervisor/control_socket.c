/*
 * The control socket's file and its peers.
 *
 * Runs in: supervisor. The rule: a peer is judged by what the kernel says about it, never by what
 * it says.
 */
#include "supervisor/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/identity.h"
#include "supervisor/unix_socket.h"

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
	char directory[UNIX_SOCKET_PATH_MAX];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return;
	*slash = '\0';
	make_directory(directory, rights);
}

int
control_socket_open(const char *path, const struct control_rights *rights,
		    struct unix_socket_file *file_out)
{
	const struct unix_socket wanted = {
		.path = path,
		.what = "control socket",
		.key = "control",
		.mode = 0660,
		.user = rights->user,
		.group = rights->has_group ? rights->group : (gid_t)-1,
		.backlog = CONTROL_BACKLOG,
	};

	char error[UNIX_SOCKET_ERROR_MAX];
	int fd;

	prepare_directory(path, rights);
	fd = unix_socket_open(&wanted, file_out, error);
	if (fd < 0)
		die("%s", error);
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
