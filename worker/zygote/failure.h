/*
 * How a zygote ends when it cannot serve.
 */
#ifndef ZYGOTED_ZYGOTE_FAILURE_H
#define ZYGOTED_ZYGOTE_FAILURE_H

#include "base/proto.h"

/*
 * Tells the supervisor why (MSG_ZYGOTE_FAILED), writes a log line, and leaves with `code`. `error`
 * is an errno, 0 if none; its text is added. Not for children.
 */
void zygote_fail(enum zy_exit code, int error, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#endif
