/*
 * The list of a configuration's errors.
 *
 * Runs in: supervisor, before anything else runs. An operator mends a file in one go only if all
 * that is wrong with it is said at once: whoever finds an error notes it here and reads on.
 */
#include "supervisor/config_errors.h"

#include <stdarg.h>
#include <stdlib.h>

int
config_error(struct config_errors *errors, unsigned line, const char *format, ...)
{
	va_list arguments;

	if (errors->count < CONFIG_ERRORS_MAX) {
		va_start(arguments, format);
		vsnprintf(errors->items[errors->count].text, PROTO_TEXT_MAX, format, arguments);
		va_end(arguments);
		errors->items[errors->count].line = line;
	}
	errors->count++;
	return -1;
}

/* By line; errors of one line keep the order in which they were found: the array is small, a stable
 * sort does. */
static void
sort_by_line(struct config_errors *errors, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		for (unsigned j = i; j > 0; j--) {
			if (errors->items[j - 1].line <= errors->items[j].line)
				break;
			__typeof__(errors->items[0]) item = errors->items[j];
			errors->items[j] = errors->items[j - 1];
			errors->items[j - 1] = item;
		}
}

void
config_errors_print(struct config_errors *errors, const char *file, FILE *out)
{
	unsigned count = errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX;

	sort_by_line(errors, count);
	for (unsigned i = 0; i < count; i++)
		if (errors->items[i].line > 0)
			fprintf(out, "%s:%u: %s\n", file, errors->items[i].line,
				errors->items[i].text);
		else
			fprintf(out, "%s: %s\n", file, errors->items[i].text);
	if (errors->count > count)
		fprintf(out, "%s: %u more errors are not shown\n", file, errors->count - count);
}
