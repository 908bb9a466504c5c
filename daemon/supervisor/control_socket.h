/*
 * The control socket itself: its place in the file system, and who is at the other end of a
 * connection.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_SOCKET_H
#define ZYGOTED_SUPERVISOR_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct identity;
struct unix_socket_file;

enum control_access { CONTROL_NONE, CONTROL_READ, CONTROL_ADMIN, CONTROL_ACCESS_MAX };

/* Who may do what, besides root and ourselves. */
struct control_rights {
	uid_t user; /* may do everything */
	bool has_group;
	gid_t group; /* may read */
};

/* Looks up the configured group ("" = none); dies when there is no such group. */
void control_socket_resolve_rights(const char *group, const struct identity *identity,
				   struct control_rights *rights_out);

/*
 * Opens and listens, mode 0660. Makes the directory of the path when it is missing below /run or
 * /tmp, and replaces a socket that nobody answers at; dies with a line that says what is wrong.
 */
int control_socket_open(const char *path, const struct control_rights *rights,
			struct unix_socket_file *file_out);

/* What the peer of a connection may do, by SO_PEERCRED and SO_PEERGROUPS. */
enum control_access control_socket_access(int fd, const struct control_rights *rights);

#endif
