/*
 * Shows the answer to a command as its views say.
 */
#ifndef ZYGOTED_ZYGOTECTL_RENDER_H
#define ZYGOTED_ZYGOTECTL_RENDER_H

#include <jansson.h>
#include <stdio.h>

/*
 * Prints `answer`. A command without views is shown as indented JSON, so that a newer daemon's
 * commands can be used. 0, or -1 when out of memory.
 */
int render_answer(const char *command, const json_t *answer, FILE *out)
	__attribute__((warn_unused_result));

#endif
