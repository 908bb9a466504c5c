/*
 * Answers that no runtime would write: the request's body goes into the channel as it is.
 *
 * Runs in: a child. What the child does next is said by the path, because the front must come to
 * its verdict whether the child lives on, ends, or lets go of the channel.
 */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 262144

static void
put(const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		const ssize_t written = write(HOSTILE_CHANNEL_FD, at, size);
		if (written <= 0)
			_exit(0);
		at += written;
		size -= (size_t)written;
	}
}

static _Noreturn void
sleep_on(void)
{
	const struct timespec long_time = { .tv_sec = 3600 };

	for (;;)
		nanosleep(&long_time, NULL);
}

/* What is done after the bytes: sleep, spin, exit, or close the channel and live on. */
static _Noreturn void
go_on(const char *how)
{
	volatile unsigned long turns = 0;

	if (strcmp(how, "exit") == 0)
		_exit(0);
	while (strcmp(how, "spin") == 0)
		turns++;
	if (strcmp(how, "close") == 0)
		close(HOSTILE_CHANNEL_FD);
	sleep_on();
}

/* "HOW" or "HOW/bytewise". */
int
deed_raw(struct zy_request *request, const char *argument)
{
	static char bytes[BYTES_MAX];
	size_t size = 0, got;

	while (size < sizeof(bytes) &&
	       (got = zy_read(request, bytes + size, sizeof(bytes) - size)) > 0)
		size += got;
	if (strstr(argument, "/bytewise") == NULL)
		put(bytes, size);
	else
		for (size_t i = 0; i < size; i++)
			put(bytes + i, 1);
	char how[16] = "";
	strncat(how, argument, strcspn(argument, "/") < 15 ? strcspn(argument, "/") : 15);
	go_on(how);
}

/*
 * Lets go of the channel without a word. "close": closed; "replace": the log pipe takes its place;
 * "hide": it stays open under another number only.
 */
int
deed_hang_up(struct zy_request *request, const char *argument)
{
	(void)request;
	if (strcmp(argument, "replace") == 0 && dup3(STDERR_FILENO, HOSTILE_CHANNEL_FD, 0) < 0)
		return -1;
	if (strcmp(argument, "hide") == 0 && dup3(HOSTILE_CHANNEL_FD, STDOUT_FILENO, 0) < 0)
		return -1;
	if (strcmp(argument, "replace") != 0)
		close(HOSTILE_CHANNEL_FD);
	sleep_on();
}

int
replies_write_early(const char *text)
{
	for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
		const char digits[3] = { text[0], text[1], '\0' };
		const char byte = (char)strtoul(digits, NULL, 16);
		put(&byte, 1);
	}
	return 0;
}
