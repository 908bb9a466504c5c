/*
 * The one way out of a zygote that failed: a message for the operator, a log line, an exit code.
 *
 * Runs in: zygote. Text may come from the worker, which is trusted during load; it is escaped all
 * the same, because it may quote a file.
 */
#include "failure.h"

#include "base/heritage.h"
#include "base/log.h"
#include "base/msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
zygote_fail(enum zy_exit code, int error, const char *format, ...)
{
	struct msg_zygote_failed failed = { .exit_code = (int)code, .error = error };
	char text[PROTO_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (error != 0 && length >= 0 && (size_t)length < sizeof(text))
		snprintf(text + length, sizeof(text) - (size_t)length, ": %s", strerror(error));
	msg_init(&failed, MSG_ZYGOTE_FAILED);
	log_escape(text, strlen(text), failed.text, sizeof(failed.text));
	log_event(LOG_ERROR, "zygote failed", "code=%d reason=\"%s\"", (int)code, failed.text);
	(void)!msg_send(ZYGOTE_SUPERVISOR_FD, &failed, NULL, 0);
	_exit((int)code);
}
