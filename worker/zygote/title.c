/*
 * The kernel shows a process's arguments as long as they are in anonymous memory (FOLL_ANON in fs/proc/base.c), so they
 * have to be elsewhere before the stack that they came on becomes a file's (aside.c). What it calls "[stack]" is the
 * mapping that the process's stack began in.
 *
 * Runs in: zygote, once, while /proc can be read. PR_SET_MM_MAP takes no privilege, prctl(2), but wants all the values that
 * the kernel keeps about a process at once: it gets back what it says in /proc/self/stat, see proc(5).
 */
#include "title.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TITLE_MAX 128

/* Numbers of fields, as proc(5) counts them from 1. */
enum stat_field {
	STAT_STATE = 3, /* the first one behind the name */
	STAT_START_CODE = 26,
	STAT_END_CODE = 27,
	STAT_START_DATA = 45,
	STAT_END_DATA = 46,
	STAT_START_BRK = 47,
	STAT_ARG_START = 48,
	STAT_ARG_END = 49,
	STAT_ENV_START = 50,
	STAT_ENV_END = 51,
	STAT_MAX
};

/* The program's other variables are a file's, which the kernel would not read; the thread's are in anonymous memory that stays. */
static _Thread_local char title[TITLE_MAX];
static const char *moved_from;

static int
read_text(char *text, size_t size)
{
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	const ssize_t length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? 0 : -1;
}

/* The name may have spaces and parentheses in it. Numbers below zero, which some have, are of no interest. */
static int
read_fields(uint64_t fields[STAT_MAX])
{
	char text[1024];
	char *at;

	if (read_text(text, sizeof(text)) < 0 || (at = strrchr(text, ')')) == NULL)
		return -1;
	at++;
	for (int field = STAT_STATE; field < STAT_MAX; field++) {
		at += strspn(at, " ");
		if (*at == '\0')
			return -1;
		fields[field] = strtoull(at, NULL, 10);
		at += strcspn(at, " ");
	}
	return 0;
}

char *
title_place(char *argument)
{
	return moved_from != NULL ? title + (argument - moved_from) : argument;
}

bool
title_move(const void *stack)
{
	uint64_t fields[STAT_MAX] = { 0 };

	if (read_fields(fields) < 0)
		return false;
	const uint64_t length = fields[STAT_ARG_END] - fields[STAT_ARG_START];
	if (fields[STAT_ARG_START] == 0 || length == 0 || length > sizeof(title))
		return false;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): /proc has no pointers */
	const char *from = (const char *)(uintptr_t)fields[STAT_ARG_START];
	memcpy(title, from, length);
	const struct prctl_mm_map map = {
		.start_code = fields[STAT_START_CODE],
		.end_code = fields[STAT_END_CODE],
		.start_data = fields[STAT_START_DATA],
		.end_data = fields[STAT_END_DATA],
		.start_brk = fields[STAT_START_BRK],
		.brk = (uintptr_t)sbrk(0),
		.start_stack = (uintptr_t)stack,
		.arg_start = (uintptr_t)title,
		.arg_end = (uintptr_t)title + length,
		.env_start = fields[STAT_ENV_START],
		.env_end = fields[STAT_ENV_END],
		.exe_fd = (uint32_t)-1,
	};
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0)
		return false;
	moved_from = from;
	return true;
}
