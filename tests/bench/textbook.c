/*
 * The server that textbooks show: accept, fork, the child answers one request and exits. No
 * sandbox, no deadlines; with a second argument it carries that many MiB of touched memory, as a
 * server that loaded its state into its heap does. The benchmark measures zygoted against it.
 *
 * Runs in: a process of its own, started by servers.py. Not part of the daemon.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads one request head and returns it as the body. */
static void
answer(int fd)
{
	char head[8192], reply[9000];
	size_t length = 0;
	int size;

	do {
		ssize_t got = read(fd, head + length, sizeof(head) - 1 - length);

		if (got <= 0)
			return;
		length += (size_t)got;
		head[length] = '\0';
	} while (strstr(head, "\r\n\r\n") == NULL && length < sizeof(head) - 1);
	size = snprintf(reply, sizeof(reply),
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
			"Connection: close\r\n\r\n%s",
			length, head);
	if (write(fd, reply, (size_t)size) < 0)
		perror("write");
}

/* Volatile, or a compiler leaves out what is never read. */
static void
carry(size_t mebibytes)
{
	static char *volatile state;

	state = malloc(mebibytes << 20);
	if (state == NULL) {
		perror("malloc");
		exit(1);
	}
	memset(state, 0x5a, mebibytes << 20);
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4096) != 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

int
main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: textbook PORT [MEBIBYTES]\n");
		return 1;
	}
	if (argc > 2)
		carry(strtoul(argv[2], NULL, 10));
	int listener = listen_on((uint16_t)atoi(argv[1])), on = 1;

	signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (fork() == 0) {
			answer(fd);
			_exit(0);
		}
		close(fd);
	}
}
