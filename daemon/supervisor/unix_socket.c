/*
 * Files of listening sockets.
 *
 * Runs in: supervisor. The rule: no file is removed here that is neither ours nor a socket nobody
 * listens at, and none is made where others could put their own in its place.
 */
#include "supervisor/unix_socket.h"

#include <errno.h>
#include <stdarg.h>
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

/*
 * 0: somebody listens, be it with a full queue. ECONNREFUSED: nobody does. Others say nothing about that: a socket of
 * another type, or one that we may not use, may well be in use.
 */
static int
try_to_connect(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		error = errno == EAGAIN ? 0 : errno;
	close(fd);
	return error;
}

static int
remove_stale(const struct unix_socket *wanted, const struct sockaddr_un *address, char *error)
{
	struct stat status;
	int result;

	if (lstat(address->sun_path, &status) < 0)
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return fail(error, "%s is there and is no socket: remove it or change `%s`",
			    address->sun_path, wanted->key);
	result = try_to_connect(address);
	if (result == 0)
		return fail(error, "another daemon answers at %s: stop it or change `%s`",
			    address->sun_path, wanted->key);
	if (result != ECONNREFUSED)
		return fail(error, "cannot tell whether %s is in use: %s; remove it or change `%s`",
			    address->sun_path, strerror(result), wanted->key);
	if (unlink(address->sun_path) < 0)
		return fail(error, "cannot remove the old socket %s: %s", address->sun_path,
			    strerror(errno));
	return 0;
}

/* Only root can give the file away; others to a group of theirs. */
static int
hand_over(const struct unix_socket *wanted, char *error)
{
	const uid_t user = geteuid() == 0 ? wanted->user : (uid_t)-1;

	if (lchown(wanted->path, user, wanted->group) == 0)
		return 0;
	if (wanted->is_only_gate)
		return fail(error, "cannot give the %s %s to its user and group: %s", wanted->what,
			    wanted->path, strerror(errno));
	log_event(LOG_WARNING, "socket not given to user and group", "path=\"%s\" error=\"%s\"",
		  wanted->path, strerror(errno));
	return 0;
}

static int
start_listening(int fd, const struct unix_socket *wanted, char *error)
{
	if (hand_over(wanted, error) < 0)
		return -1;
	if (listen(fd, wanted->backlog) == 0)
		return 0;
	return fail(error, "cannot listen on the %s %s: %s", wanted->what, wanted->path,
		    strerror(errno));
}

/* Makes the file; the mode is right from the first moment on. */
static int
bind_file(int fd, const struct unix_socket *wanted, const struct sockaddr_un *address,
	  struct unix_socket_file *file_out)
{
	const mode_t before = umask(0777 & ~wanted->mode);
	const int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	const int saved = errno;
	struct stat status;

	umask(before);
	errno = saved;
	if (result < 0 || lstat(address->sun_path, &status) < 0)
		return -1;
	*file_out = (struct unix_socket_file){ status.st_dev, status.st_ino };
	return 0;
}

static int
open_at(const struct unix_socket *wanted, const struct sockaddr_un *address,
	struct unix_socket_file *file_out, char *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail(error, "cannot open the %s: %s", wanted->what, strerror(errno));
	if (bind_file(fd, wanted, address, file_out) < 0) {
		(void)fail(error, "cannot bind the %s to %s: %s", wanted->what, wanted->path,
			   strerror(errno));
		close(fd);
		return -1;
	}
	if (start_listening(fd, wanted, error) == 0)
		return fd;
	unix_socket_remove(wanted->path, file_out);
	*file_out = (struct unix_socket_file){ 0 };
	close(fd);
	return -1;
}

int
unix_socket_open(const struct unix_socket *wanted, struct unix_socket_file *file_out,
		 char error[UNIX_SOCKET_ERROR_MAX])
{
	struct sockaddr_un address;

	if (make_address(wanted, &address, error) < 0 || check_directory(wanted, error) < 0 ||
	    remove_stale(wanted, &address, error) < 0)
		return -1;
	return open_at(wanted, &address, file_out, error);
}

void
unix_socket_remove(const char *path, const struct unix_socket_file *file)
{
	const char *reason = NULL;
	struct stat status;

	if (lstat(path, &status) == 0 &&
	    (status.st_dev != file->device || status.st_ino != file->inode))
		reason = "another file has taken its place";
	else if (unlink(path) < 0)
		reason = strerror(errno);
	if (reason != NULL)
		log_event(LOG_WARNING, "socket not removed", "path=\"%s\" error=\"%s\"", path,
			  reason);
}
