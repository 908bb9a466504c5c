/*
 * The floor of latency: one keep-alive connection at a time, whose requests another process answers, over a socket, that was there
 * before and goes on living. No fork, no sandbox, no parser, no frames: two switches between processes is all that it does more
 * than a server which answers by itself.
 *
 * Runs in: two processes of their own, started by servers.py. Not part of the daemon.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char reply[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 33\r\n\r\n"
	"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n";

/* The other process: a request comes, the answer goes. */
static void
answer_all(int fd)
{
	char request[8192];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, request, sizeof(request)) > 0)
		if (write(fd, reply, sizeof(reply) - 1) < 0)
			break;
	_exit(0);
}

/* Heads come whole from a client on the same machine. */
static void
serve(int client, int helper)
{
	char bytes[8192];
	ssize_t size;

	while ((size = read(client, bytes, sizeof(bytes))) > 0) {
		if (write(helper, bytes, (size_t)size) < 0)
			return;
		size = read(helper, bytes, sizeof(bytes));
		if (size <= 0 || write(client, bytes, (size_t)size) < 0)
			return;
	}
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 64) != 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

int
main(int argc, char **argv)
{
	int pair[2];

	if (argc != 2) {
		fprintf(stderr, "usage: handover PORT\n");
		return 1;
	}
	int listener = listen_on((uint16_t)atoi(argv[1])), on = 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
		perror("socketpair");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	if (fork() == 0)
		answer_all(pair[1]);
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client < 0)
			continue;
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve(client, pair[0]);
		close(client);
	}
}
