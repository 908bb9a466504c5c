/*
 * Files of listening sockets.
 *
 * Runs in: supervisor, at start. The rule: no file is removed here that is not a socket nobody
 * listens at, and none is made where others could put their own in its place.
 */
#include "supervisor/unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static struct sockaddr_un
make_address(const struct unix_socket *wanted)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", wanted->path) >=
	    (int)sizeof(address.sun_path))
		die("path of the %s is too long: %s", wanted->what, wanted->path);
	return address;
}

/* A directory that others can write to would let them put their own socket in our place. */
static void
judge_directory(const struct unix_socket *wanted, const char *directory)
{
	struct stat status;

	if (lstat(directory, &status) < 0)
		die("directory of the %s %s: %s; create it or change `%s`", wanted->what, directory,
		    strerror(errno), wanted->key);
	if (!S_ISDIR(status.st_mode))
		die("%s is no directory: remove it or change `%s`", directory, wanted->key);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		die("directory of the %s %s belongs to another user: change `%s`", wanted->what,
		    directory, wanted->key);
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0)
		die("directory of the %s %s can be written by others: chmod go-w it", wanted->what,
		    directory);
}

static void
check_directory(const struct unix_socket *wanted)
{
	char directory[UNIX_SOCKET_PATH_MAX];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", wanted->path);
	slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return;
	*slash = '\0';
	judge_directory(wanted, directory);
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
remove_stale(const struct unix_socket *wanted, const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return;
	if (!S_ISSOCK(status.st_mode))
		die("%s is there and is no socket: remove it or change `%s`", address->sun_path,
		    wanted->key);
	if (is_answered(address))
		die("another daemon answers at %s: stop it or change `%s`", address->sun_path,
		    wanted->key);
	if (unlink(address->sun_path) < 0)
		die("cannot remove the old socket %s: %s", address->sun_path, strerror(errno));
}

/* Only root can give the file away. */
static void
hand_over(const struct unix_socket *wanted)
{
	const uid_t user = geteuid() == 0 ? wanted->user : (uid_t)-1;

	if (lchown(wanted->path, user, wanted->group) < 0)
		log_event(LOG_WARNING, "socket not given to user and group",
			  "path=\"%s\" error=\"%s\"", wanted->path, strerror(errno));
}

int
unix_socket_open(const struct unix_socket *wanted)
{
	const struct sockaddr_un address = make_address(wanted);
	int fd;

	check_directory(wanted);
	remove_stale(wanted, &address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("cannot open the %s: %s", wanted->what, strerror(errno));
	/* The mode is right from the first moment on. */
	mode_t before = umask(0777 & ~wanted->mode);
	int result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (result < 0)
		die("cannot bind the %s to %s: %s", wanted->what, wanted->path, strerror(errno));
	hand_over(wanted);
	if (listen(fd, wanted->backlog) < 0)
		die("cannot listen on the %s %s: %s", wanted->what, wanted->path, strerror(errno));
	return fd;
}
