/*
 * Log lines, and the two ways to die.
 *
 * Runs in: supervisor, front, zygote until its lock-down. Text from a peer reaches it only through
 * log_escape. Formatting uses the stack alone and one write(2): a line is whole or absent, and
 * logging cannot wait.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *process;
	enum log_level level;
	int journal;
	uint64_t lost;
} state = { "zygoted", LOG_INFO, 0, 0 };

static const char *const names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == LOG_LEVEL_MAX, "level names");

/* Priorities of syslog(3), which sd-daemon(3) prefixes use. */
static const int priorities[] = {
	[LOG_ERROR] = 3,
	[LOG_WARNING] = 4,
	[LOG_INFO] = 6,
	[LOG_DEBUG] = 7,
};

void
log_init(const char *process, enum log_level level, int journal)
{
	state.process = process;
	state.level = level;
	state.journal = journal;
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_level(void)
{
	return state.level;
}

uint64_t
log_lost(void)
{
	return state.lost;
}

const char *
log_level_name(enum log_level level)
{
	return (unsigned)level < LOG_LEVEL_MAX ? names[level] : "?";
}

int
log_level_parse(const char *name)
{
	for (int i = 0; i < LOG_LEVEL_MAX; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

static size_t
put_prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm utc;

	if (state.journal)
		return (size_t)snprintf(line, size, "<%d>%s: ", priorities[level], state.process);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
	length += (size_t)snprintf(line + length, size - length,
				   ".%06ldZ %s %s: ", now.tv_nsec / 1000, names[level],
				   state.process);
	return length;
}

/* snprintf's idea of what it would have written, cut to what is there. */
static size_t
advance(size_t length, int added, size_t size)
{
	if (added < 0)
		return length;
	return length + (size_t)added < size ? length + (size_t)added : size - 1;
}

static __attribute__((format(printf, 3, 0))) void
write_line(enum log_level level, const char *event, const char *format, va_list arguments)
{
	char line[LOG_LINE_MAX];
	const size_t size = sizeof(line) - 1; /* keeps room for the newline */
	size_t length = put_prefix(line, size, level);

	length = advance(length, snprintf(line + length, size - length, "%s", event), size);
	if (format[0] != '\0') {
		length = advance(length, snprintf(line + length, size - length, " "), size);
		length = advance(length, vsnprintf(line + length, size - length, format, arguments),
				 size);
	}
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) != (ssize_t)length)
		state.lost++;
}

void
log_event(enum log_level level, const char *event, const char *format, ...)
{
	int saved = errno;
	va_list arguments;

	if (level > state.level)
		return;
	va_start(arguments, format);
	write_line(level, event, format, arguments);
	va_end(arguments);
	errno = saved;
}

char *
log_escape(const void *data, size_t length, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *bytes = data;
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		int plain =
			bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\' && bytes[i] != '"';
		if (used + (plain ? 1 : 4) >= size)
			break;
		if (plain) {
			out[used++] = (char)bytes[i];
			continue;
		}
		out[used++] = '\\';
		out[used++] = 'x';
		out[used++] = hex[bytes[i] >> 4];
		out[used++] = hex[bytes[i] & 15];
	}
	if (size > 0)
		out[used] = '\0';
	return out;
}

void
die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_ERROR, "cannot go on:", format, arguments);
	va_end(arguments);
	exit(1);
}

void
log_bug(const char *file, int line, const char *what)
{
	log_event(LOG_ERROR, "bug", "at=%s:%d what=\"%s\"", file, line, what);
	abort();
}
