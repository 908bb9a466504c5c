/*
 * The least that a fresh program for each request can be: linked statically, one read, one write.
 * tcpserver executes it with the connection as its standard input and output; fcgiwrap executes it as a
 * CGI program (RFC 3875), which is told by GATEWAY_INTERFACE.
 *
 * Runs in: a process of its own for each request, started by a peer of the benchmark. Not part of the
 * daemon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BODY "a program of its own for this request\n"

static int
put(const char *text)
{
	return write(STDOUT_FILENO, text, strlen(text)) < 0 ? 1 : 0;
}

int
main(void)
{
	char head[8192], reply[256];
	size_t length = 0;

	if (getenv("GATEWAY_INTERFACE") != NULL)
		return put("Content-Type: text/plain\r\n\r\n" BODY);
	do {
		ssize_t got = read(STDIN_FILENO, head + length, sizeof(head) - 1 - length);

		if (got <= 0)
			return 1;
		length += (size_t)got;
		head[length] = '\0';
	} while (strstr(head, "\r\n\r\n") == NULL && length < sizeof(head) - 1);
	snprintf(reply, sizeof(reply),
		 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n\r\n%s",
		 strlen(BODY), BODY);
	return put(reply);
}
