/*
 * Using up what is bounded: time, output, patience.
 *
 * Runs in: a child. None of these ends by itself where the daemon is supposed to end it.
 */
#include "hostile.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
sleep_seconds(time_t seconds)
{
	struct timespec left = { .tv_sec = seconds };

	while (nanosleep(&left, &left) != 0)
		continue;
}

/* "stubborn": with every signal blocked, and the soft limit raised to the hard one. */
int
deed_burn(struct zy_request *request, const char *argument)
{
	volatile unsigned long turns = 0;
	struct rlimit limit;
	sigset_t all;

	(void)request;
	if (strcmp(argument, "stubborn") == 0) {
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		if (syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, &limit) == 0) {
			limit.rlim_cur = limit.rlim_max;
			syscall(SYS_prlimit64, 0, RLIMIT_CPU, &limit, NULL);
		}
	}
	for (;;)
		turns++;
	return 0;
}

int
deed_sleep(struct zy_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	for (;;)
		sleep_seconds(3600);
	return 0;
}

/* Lines to the log for ever, or as many writes of 64 lines as the argument says. */
int
deed_flood_log(struct zy_request *request, const char *argument)
{
	static char lines[4096];
	unsigned long left = argument[0] != '\0' ? strtoul(argument, NULL, 10) : ~0ul;

	memset(lines, 'x', sizeof(lines));
	for (size_t end = 63; end < sizeof(lines); end += 64)
		lines[end] = '\n';
	for (; left > 0; left--)
		(void)!write(STDERR_FILENO, lines, sizeof(lines));
	return zy_printf(request, "flooded\n");
}

/* The argument, decoded, to the log as one write. */
int
deed_say(struct zy_request *request, const char *argument)
{
	static char text[8192];

	if (strlen(argument) >= sizeof(text))
		return -1;
	const ssize_t length = zy_percent_decode(argument, text);
	if (length < 0)
		return -1;
	return zy_printf(request, "%zd\n", write(STDERR_FILENO, text, (size_t)length));
}

int
deed_flood_answer(struct zy_request *request, const char *argument)
{
	static char piece[16384];

	(void)argument;
	memset(piece, 'x', sizeof(piece));
	while (zy_write(request, piece, sizeof(piece)) == 0)
		continue;
	return -1;
}

/* A byte a second. */
int
deed_read_slowly(struct zy_request *request, const char *argument)
{
	char byte;

	(void)argument;
	while (zy_read(request, &byte, 1) > 0)
		sleep_seconds(1);
	return zy_printf(request, "read\n");
}

int
deed_count(struct zy_request *request, const char *argument)
{
	static char piece[65536];
	unsigned long long total = 0;
	size_t got;

	(void)argument;
	while ((got = zy_read(request, piece, sizeof(piece))) > 0)
		total += got;
	return zy_printf(request, "%llu\n", total);
}
