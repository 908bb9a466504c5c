/*
 * One connection that asks a given number of times, with a pause before each request or none, and prints the median and the 99th
 * percentile of the time from a request to the first bytes of its answer, in microseconds. A server that closes after each answer
 * is connected to again, which is not counted, as wrk(1) does not. wrk can neither ask so many times, nor leave the machine
 * time between requests.
 *
 * Runs in: a process of its own, started by latency.py. Not part of the daemon.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char request[512];

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	const double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Takes what is left of the last answer. False when the server has closed. */
static int
is_open(int fd)
{
	char rest[4096];
	ssize_t size;

	while ((size = recv(fd, rest, sizeof(rest), MSG_DONTWAIT)) > 0)
		continue;
	return size < 0 && errno == EAGAIN;
}

static double
ask(int fd)
{
	char answer[4096];
	const double start = now_us();

	if (write(fd, request, strlen(request)) < 0) {
		perror("write");
		exit(1);
	}
	const ssize_t size = read(fd, answer, sizeof(answer));
	const double end = now_us();
	if (size < 12 || memcmp(answer + 8, " 200", 4) != 0) {
		fprintf(stderr, "an answer of %zd bytes that is not 200\n", size);
		exit(1);
	}
	return end - start;
}

int
main(int argc, char **argv)
{
	const int count = argc == 5 ? atoi(argv[2]) : 0;

	if (count < 1) {
		fprintf(stderr, "usage: paced PORT COUNT PAUSE-IN-MICROSECONDS PATH\n");
		return 1;
	}
	const uint16_t port = (uint16_t)atoi(argv[1]);
	const int pause_us = atoi(argv[3]);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[4]);
	int fd = connect_to(port);
	double *times = calloc((size_t)count, sizeof(*times));

	if (times == NULL)
		return 1;
	for (int i = 0; i < count; i++) {
		if (pause_us > 0)
			usleep((useconds_t)pause_us);
		if (!is_open(fd)) {
			close(fd);
			fd = connect_to(port);
		}
		times[i] = ask(fd);
	}
	qsort(times, (size_t)count, sizeof(*times), compare);
	printf("%.1f %.1f\n", times[count / 2], times[count * 99 / 100]);
	return 0;
}
