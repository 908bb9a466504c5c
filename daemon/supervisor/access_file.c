/*
 * Opening the access log.
 *
 * Runs in: supervisor. Rule: whatever the front gets must not make it wait. Writes to a file do not;
 * pipes and terminals get a file description of our own, because O_NONBLOCK belongs to the
 * description and theirs may be shared with a shell; for sockets the front says so with each call.
 */
#include "supervisor/access_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/fronts.h"
#include "supervisor/supervisor.h"

#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define FILE_MODE  0640

static int
open_stderr(void)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) < 0)
		return -1;
	if (S_ISSOCK(status.st_mode))
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	return open("/proc/self/fd/2", OPEN_FLAGS);
}

static int
open_target(const char *target)
{
	if (strcmp(target, "stderr") == 0)
		return open_stderr();
	return open(target, OPEN_FLAGS | O_CREAT, FILE_MODE);
}

static const char *
advice(int error)
{
	switch (error) {
	case ENXIO:
		return ": start the program that reads the pipe first";
	case EACCES:
		return ": give the user that starts zygoted the right to write there";
	case ENOENT:
		return ": make the directory";
	default:
		return "";
	}
}

void
access_file_open(struct supervisor *supervisor)
{
	const char *target = supervisor->config->access_log;

	supervisor->access_fd = -1;
	if (!supervisor->config->limits.access_log)
		return;
	supervisor->access_fd = open_target(target);
	if (supervisor->access_fd < 0)
		die("access_log: cannot open %s: %s%s", target, strerror(errno), advice(errno));
}

void
access_file_send(struct front_proc *front)
{
	const int fd = front->supervisor->access_fd;
	struct msg_cookie message = { .cookie = 0 };

	if (fd < 0)
		return;
	msg_init(&message, MSG_ACCESS_LOG);
	if (front_proc_send_fd(front, &message, fd) < 0)
		log_event(LOG_DEBUG, "access log not handed over", "error=\"%s\"", strerror(errno));
}

void
access_file_reopen(struct supervisor *supervisor)
{
	const char *target = supervisor->config->access_log;
	int fd;

	if (supervisor->access_fd < 0)
		return;
	fd = open_target(target);
	if (fd < 0) {
		log_event(LOG_ERROR, "access log not reopened", "file=\"%s\" error=\"%s\"", target,
			  strerror(errno));
		return;
	}
	close(supervisor->access_fd);
	supervisor->access_fd = fd;
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		access_file_send(front);
	log_event(LOG_INFO, "access log reopened", "file=\"%s\"", target);
}

void
access_file_close(struct supervisor *supervisor)
{
	if (supervisor->access_fd >= 0)
		close(supervisor->access_fd);
	supervisor->access_fd = -1;
}
