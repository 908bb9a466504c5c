/*
 * The control socket's client side.
 *
 * Runs in: zygotectl. The peer is whoever listens on the socket: its answer is bounded in size, and
 * in the time that any part of it may take.
 */
#include "zygotectl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int
is_word(const char *word)
{
	for (const unsigned char *at = (const unsigned char *)word; *at; at++)
		if (*at <= ' ' || *at == 0x7f)
			return 0;
	return word[0] != '\0';
}

int
client_format_command(char *const words[], int count, char out[CLIENT_COMMAND_MAX])
{
	size_t used = 0;

	for (int i = 0; i < count; i++) {
		size_t length = strlen(words[i]);

		if (!is_word(words[i]) || used + length + 1 >= CLIENT_COMMAND_MAX)
			return -1;
		memcpy(out + used, words[i], length);
		used += length;
		out[used++] = i + 1 < count ? ' ' : '\n';
	}
	return (int)used;
}

static void
complain(const char *path, const char *what, int error)
{
	const char *hint = "";

	if (error == ENOENT || error == ECONNREFUSED)
		hint = ": is zygoted running? name its socket with -s";
	else if (error == EACCES || error == EPERM)
		hint = ": run as root, as the daemon's user, or as a member of its control_group";
	else if (error == EAGAIN)
		hint = ": the daemon did not answer in time";
	fprintf(stderr, "zygotectl: %s %s: %s%s\n", what, path, strerror(error), hint);
}

static int wait_seconds = CLIENT_WAIT_SECONDS;

void
client_set_wait(int seconds)
{
	wait_seconds = seconds;
}

static int
open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = wait_seconds };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		complain(path, "cannot use socket", ENAMETOOLONG);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	complain(path, "cannot connect to", errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

int
client_send(int fd, const char *command, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, command, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -1;
		command += sent;
		length -= (size_t)sent;
	}
	return 0;
}

/* Doubles the buffer up to its bound. */
static char *
grow(char *buffer, size_t *room)
{
	char *grown;

	if (*room >= CLIENT_ANSWER_MAX) {
		errno = EMSGSIZE;
		return NULL;
	}
	grown = realloc(buffer, *room ? 2 * *room : 4096);
	if (grown)
		*room = *room ? 2 * *room : 4096;
	return grown;
}

/* Up to the newline. NULL with errno; EPIPE when the peer closes before it. */
static char *
receive_line(int fd)
{
	char *buffer = NULL;
	size_t room = 0;
	size_t used = 0;

	for (;;) {
		char *grown = used + 1 >= room ? grow(buffer, &room) : buffer;
		ssize_t got;

		if (!grown)
			break;
		buffer = grown;
		got = recv(fd, buffer + used, room - used - 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EPIPE;
		if (got <= 0)
			break;
		char *end = memchr(buffer + used, '\n', (size_t)got);
		used += (size_t)got;
		if (end) {
			*end = '\0';
			return buffer;
		}
	}
	free(buffer);
	return NULL;
}

char *
client_ask(const char *path, const char *command, size_t length)
{
	int fd = open_socket(path);
	char *answer = NULL;

	if (fd < 0)
		return NULL;
	/* A daemon that refuses us may have closed already: its answer is there to be read all the
	 * same. */
	if (client_send(fd, command, length) < 0 && errno != EPIPE)
		complain(path, "cannot send to", errno);
	else if (!(answer = receive_line(fd)))
		complain(path, "no answer from", errno);
	close(fd);
	return answer;
}
