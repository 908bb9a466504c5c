/*
 * Standard error as it was inherited.
 *
 * Runs in: supervisor, at start. A reader of the log that has stopped must not stop the daemon: a
 * line that cannot be written at once is lost and counted (base/log.c).
 */
#include "supervisor/log_stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* systemd names the device and inode of the stream that it connected to the journal:
 * systemd.exec(5). */
bool
log_stream_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat status;

	if (stream == NULL || fstat(STDERR_FILENO, &status) < 0)
		return false;
	snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	return strcmp(stream, own) == 0;
}

/*
 * O_NONBLOCK belongs to the open file description, which may be a shell's terminal too. A socket
 * was made for this service. A pipe or terminal can be opened once more by its name in /proc, which
 * gives a description of our own; where that is not allowed, writes may wait. Files never do.
 */
void
log_stream_unblock(void)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) < 0)
		return;
	if (S_ISSOCK(status.st_mode)) {
		(void)fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
	} else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
		int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return;
		(void)dup2(fd, STDERR_FILENO);
		close(fd);
	}
}
