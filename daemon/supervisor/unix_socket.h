/*
 * Listening sockets that are files: where they may be, who may connect, what becomes of an old one.
 */
#ifndef ZYGOTED_SUPERVISOR_UNIX_SOCKET_H
#define ZYGOTED_SUPERVISOR_UNIX_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>

#define UNIX_SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)NULL)->sun_path) /* with the NUL */

struct unix_socket {
	const char *path;
	const char *what; /* for messages: "control socket" */
	const char *key;  /* of the configuration, to be changed when it cannot be used */
	mode_t mode;	  /* of the file: who may write to it may connect */
	uid_t user;	  /* gets the file when we are root; (uid_t)-1: stays ours */
	gid_t group;	  /* gets it too; (gid_t)-1: stays ours */
	int backlog;
};

/*
 * Makes the file and listens. Removes a socket that is there if nobody answers at it. Dies with a
 * line that says what to do: another daemon is there, the directory belongs to others or can be
 * written by them. The descriptor is non-blocking and the caller's.
 */
int unix_socket_open(const struct unix_socket *wanted);

#endif
