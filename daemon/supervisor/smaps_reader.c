/*
 * One thread, one file, one read.
 *
 * Runs in: supervisor, the only thread beside its loop. The rule: the thread makes system calls on
 * what it was given and nothing else. It holds no lock of the C library's, malloc's least of all,
 * when the loop clones a process.
 */
#include "supervisor/smaps_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#define ROLLUP_BYTES 4096

struct smaps_reader {
	pthread_t thread;
	struct event *event;
	smaps_reader_fn *done;
	void *owner;
	int file_fd;
	int done_fd; /* eventfd: the thread has ended */
	ssize_t length;
	char text[ROLLUP_BYTES];
};

static void *
read_file(void *argument)
{
	static const uint64_t one = 1;
	struct smaps_reader *reader = argument;

	do
		reader->length = read(reader->file_fd, reader->text, sizeof(reader->text) - 1);
	while (reader->length < 0 && errno == EINTR);
	(void)!write(reader->done_fd, &one, sizeof(one));
	return NULL;
}

/* Signals are the loop's. */
static int
start_thread(struct smaps_reader *reader)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&reader->thread, NULL, read_file, reader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void
discard(struct smaps_reader *reader)
{
	const int saved = errno;

	if (reader->event != NULL)
		event_free(reader->event);
	if (reader->file_fd >= 0)
		close(reader->file_fd);
	if (reader->done_fd >= 0)
		close(reader->done_fd);
	free(reader);
	errno = saved;
}

void
smaps_reader_free(struct smaps_reader *reader)
{
	if (reader == NULL)
		return;
	pthread_join(reader->thread, NULL);
	discard(reader);
}

static void
on_done(evutil_socket_t fd, short what, void *context)
{
	struct smaps_reader *reader = context;
	struct smaps_rollup rollup = { 0 };
	const char *error = NULL;
	smaps_reader_fn *done = reader->done;
	void *owner = reader->owner;

	(void)fd;
	(void)what;
	pthread_join(reader->thread, NULL);
	reader->text[reader->length > 0 ? reader->length : 0] = '\0';
	if (reader->length <= 0)
		error = "the child's memory map cannot be read";
	else if (smaps_parse_rollup(reader->text, &rollup) < 0)
		error = "the child's memory map is not understood";
	discard(reader);
	done(owner, error, &rollup);
}

struct smaps_reader *
smaps_reader_start(struct event_base *base, pid_t pid, smaps_reader_fn *done, void *owner)
{
	struct smaps_reader *reader = calloc(1, sizeof(*reader));
	char path[64];

	if (reader == NULL)
		return NULL;
	reader->done = done;
	reader->owner = owner;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	reader->file_fd = open(path, O_RDONLY | O_CLOEXEC);
	reader->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reader->file_fd >= 0 && reader->done_fd >= 0)
		reader->event = event_new(base, reader->done_fd, EV_READ, on_done, reader);
	if (reader->event == NULL || event_add(reader->event, NULL) < 0) {
		discard(reader);
		return NULL;
	}
	const int error = start_thread(reader);
	if (error == 0)
		return reader;
	errno = error;
	discard(reader);
	return NULL;
}
