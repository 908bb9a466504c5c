/*
 * One command to the control socket, one line back.
 */
#ifndef ZYGOTED_ZYGOTECTL_CLIENT_H
#define ZYGOTED_ZYGOTECTL_CLIENT_H

#include <stddef.h>

#define CLIENT_COMMAND_MAX  1024	       /* bytes of a command line, with its end */
#define CLIENT_ANSWER_MAX   (16 * 1024 * 1024) /* bytes of an answer */
#define CLIENT_WAIT_SECONDS 30		       /* for each part of an answer */
#define CLIENT_LONG_WAIT_SECONDS                                                                   \
	700 /* with --wait; the daemon gives up loading a zygote after 600 */

/*
 * Joins the words of a command with blanks and ends it with a newline. Its length, or -1 when it is
 * too long or a word is empty or has a blank or control character in it.
 */
int client_format_command(char *const words[], int count, char out[CLIENT_COMMAND_MAX]);

/* How long client_ask waits for each part of an answer; CLIENT_WAIT_SECONDS unless it was called. */
void client_set_wait(int seconds);

/*
 * Connects, sends the command and reads one line. The answer without its newline, the caller's to
 * free; NULL after a message on stderr that says what to do. Blocks.
 */
char *client_ask(const char *path, const char *command, size_t length);

/* Sends all of it. 0, or -1 with errno. Blocks. */
int client_send(int fd, const char *data, size_t length) __attribute__((warn_unused_result));

#endif
