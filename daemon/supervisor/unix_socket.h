/*
 * Listening sockets that are files: where they may be, who may connect, what becomes of an old one.
 */
#ifndef ZYGOTED_SUPERVISOR_UNIX_SOCKET_H
#define ZYGOTED_SUPERVISOR_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#define UNIX_SOCKET_PATH_MAX  sizeof(((struct sockaddr_un *)NULL)->sun_path) /* with the NUL */
#define UNIX_SOCKET_ERROR_MAX 320

struct unix_socket {
	const char *path;
	const char *what; /* for messages: "control socket" */
	const char *key;  /* of the configuration, to be changed when it cannot be used */
	mode_t mode;	  /* of the file: who may write to it may connect */
	uid_t user;	  /* gets the file when we are root; (uid_t)-1: stays ours */
	gid_t group;	  /* gets it too; (gid_t)-1: stays ours */
	int backlog;
	bool is_only_gate; /* peers are judged by the file alone: one that cannot be given away is refused */
};

/* Which file it is: another one may stand at its path by now. */
struct unix_socket_file {
	dev_t device;
	ino_t inode; /* 0: there is none */
};

/*
 * Makes the file and listens. Removes a socket that is there if nobody listens at it. The descriptor, which is
 * non-blocking and the caller's; or -1 after writing why not and what to do: another daemon is there,
 * the directory belongs to others or can be written by them. Then no file of ours is left, and none in file_out.
 */
int unix_socket_open(const struct unix_socket *wanted, struct unix_socket_file *file_out,
		     char error[UNIX_SOCKET_ERROR_MAX]) __attribute__((warn_unused_result));

/* Removes the file, or says why not. Call it before the socket is closed: until then the inode's number is no other file's. */
void unix_socket_remove(const char *path, const struct unix_socket_file *file);

#endif
