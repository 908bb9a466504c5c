/*
 * Files of listening sockets.
 *
 * Runs in: supervisor, at start and at a reload. The rule: no file is removed here that is not a socket nobody
 * listens at, and none is made where others could put their own in its place.
 */
#include "supervisor/unix_socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static __attribute__((format(printf, 2, 3))) int
fail(char error[UNIX_SOCKET_ERROR_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, UNIX_SOCKET_ERROR_MAX, format, arguments);
	va_end(arguments);
	return -1;
}

static int
make_address(const struct unix_socket *wanted, struct sockaddr_un *out, char *error)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(out->sun_path, sizeof(out->sun_path), "%s", wanted->path) >=
	    (int)sizeof(out->sun_path))
		return fail(error, "path of the %s is too long: %s", wanted->what, wanted->path);
	return 0;
}

static bool
is_trusted(const struct stat *status)
{
	return status->st_uid == geteuid() || status->st_uid == 0;
}

/*
 * A service manager that makes up a user for the service puts a link where the directory would be: systemd.exec(5), DynamicUser=.
 * A link of root's or our own is as good as a directory of theirs: nobody else can make it point elsewhere. What it points
 * to is judged like any other.
 */
static int
stat_directory(const char *directory, struct stat *status_out)
{
	if (lstat(directory, status_out) < 0)
		return -1;
	if (!S_ISLNK(status_out->st_mode) || !is_trusted(status_out))
		return 0;
	return stat(directory, status_out);
}

/* A directory that others can write to would let them put their own socket in our place. */
static int
judge_directory(const struct unix_socket *wanted, const char *directory, char *error)
{
	struct stat status;

	if (stat_directory(directory, &status) < 0)
		return fail(error, "directory of the %s %s: %s; create it or change `%s`",
			    wanted->what, directory, strerror(errno), wanted->key);
	if (!S_ISDIR(status.st_mode))
		return fail(error, "%s is no directory: remove it or change `%s`", directory,
			    wanted->key);
	if (!is_trusted(&status))
		return fail(error, "directory of the %s %s belongs to another user: change `%s`",
			    wanted->what, directory, wanted->key);
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0)
		return fail(error, "directory of the %s %s can be written by others: chmod go-w it",
			    wanted->what, directory);
	return 0;
}

static int
check_directory(const struct unix_socket *wanted, char *error)
{
	char directory[UNIX_SOCKET_PATH_MAX];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", wanted->path);
	slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return 0;
	*slash = '\0';
	return judge_directory(wanted, directory, error);
}

/* EAGAIN says that the other daemon's queue is full: it lives. -1: cannot be found out. */
static int
is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	bool answered = result == 0 || errno == EAGAIN;
	close(fd);
	return answered;
}

static int
remove_stale(const struct unix_socket *wanted, const struct sockaddr_un *address, char *error)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return fail(error, "%s is there and is no socket: remove it or change `%s`",
			    address->sun_path, wanted->key);
	switch (is_answered(address)) {
	case 0:
		break;
	case 1:
		return fail(error, "another daemon answers at %s: stop it or change `%s`",
			    address->sun_path, wanted->key);
	default:
		return fail(error, "cannot open a socket: %s", strerror(errno));
	}
	if (unlink(address->sun_path) < 0)
		return fail(error, "cannot remove the old socket %s: %s", address->sun_path,
			    strerror(errno));
	return 0;
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

/* Makes the file; the mode is right from the first moment on. */
static int
bind_file(int fd, const struct unix_socket *wanted, const struct sockaddr_un *address)
{
	const mode_t before = umask(0777 & ~wanted->mode);
	const int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	const int saved = errno;

	umask(before);
	errno = saved;
	return result;
}

static int
open_at(const struct unix_socket *wanted, const struct sockaddr_un *address, char *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail(error, "cannot open the %s: %s", wanted->what, strerror(errno));
	if (bind_file(fd, wanted, address) < 0) {
		(void)fail(error, "cannot bind the %s to %s: %s", wanted->what, wanted->path,
			   strerror(errno));
		close(fd);
		return -1;
	}
	hand_over(wanted);
	if (listen(fd, wanted->backlog) == 0)
		return fd;
	(void)fail(error, "cannot listen on the %s %s: %s", wanted->what, wanted->path,
		   strerror(errno));
	(void)unlink(address->sun_path);
	close(fd);
	return -1;
}

int
unix_socket_open(const struct unix_socket *wanted, char error[UNIX_SOCKET_ERROR_MAX])
{
	struct sockaddr_un address;

	if (make_address(wanted, &address, error) < 0 || check_directory(wanted, error) < 0 ||
	    remove_stale(wanted, &address, error) < 0)
		return -1;
	return open_at(wanted, &address, error);
}
