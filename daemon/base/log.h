/*
 * One event, one line on stderr. Lower case, a short fixed event, then key=value pairs:
 *
 *	2026-01-02T03:04:05.678901Z warning zygote died pool=oui generation=3 signal=SEGV
 *
 * Under systemd's journal (JOURNAL_STREAM names stderr) the time stamp gives way to a syslog
 * priority prefix. Writing never blocks for long: a line that cannot be written at once is
 * dropped and counted.
 */
#ifndef ZYGOTED_BASE_LOG_H
#define ZYGOTED_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 1024 /* longer lines are cut */

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVEL_MAX };

/*
 * Sets the process's name in lines (a literal, kept by reference), the level and the format. Before
 * it everything up to LOG_INFO is written with time stamps.
 */
void log_init(const char *process, enum log_level level, int journal);
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* `event` is a literal; `format` gives the key=value tail and may be "". errno is kept. */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Lines that could not be written since start. */
uint64_t log_lost(void);

/* Name of a level ("error".."debug") and back; -1 if unknown. */
const char *log_level_name(enum log_level level);
int log_level_parse(const char *name);

/*
 * Copies bytes from a peer into `out` (NUL-terminated, cut at size): printable ASCII other than '\'
 * and '"' stays, everything else becomes \xNN. Returns out.
 */
char *log_escape(const void *data, size_t length, char *out, size_t size);

/* die: the world is wrong. Message to the log, exit 1. bug: we are wrong. Message with file and
 * line, abort. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void log_bug(const char *file, int line, const char *what);
#define bug(what) log_bug(__FILE__, __LINE__, (what))

#endif
