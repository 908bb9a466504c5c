/*
 * /proc as the supervisor needs it.
 *
 * Runs in: supervisor, for the control socket only. A pid read here may be another process's a
 * moment later: use it to show and to read, never to kill.
 */
#include "supervisor/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pids of up to 2 x 4096 children, 7 digits and a space each, with room to spare. */
#define CHILDREN_BYTES 131072
#define STATUS_BYTES   8192
#define MEMINFO_BYTES  8192

static ssize_t
read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;

	for (;;) {
		ssize_t count = read(fd, buffer + length, size - 1 - length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		length += (size_t)count;
		if (length == size - 1) {
			errno = EFBIG;
			return -1;
		}
	}
	buffer[length] = '\0';
	return (ssize_t)length;
}

ssize_t
procfs_read(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t length = read_all(fd, buffer, size);
	int saved = errno;
	close(fd);
	errno = saved;
	return length;
}

/* What follows `name` at the start of a line; NULL if there is no such line. */
static const char *
find_field(const char *text, const char *name)
{
	const size_t length = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0)
			return line + length;
	}
	return NULL;
}

pid_t
procfs_pidfd_pid(int pidfd)
{
	char path[64];
	char text[512];
	const char *value;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (procfs_read(path, text, sizeof(text)) < 0)
		return -1;
	value = find_field(text, "Pid:");
	pid = value != NULL ? strtol(value, NULL, 10) : -1;
	if (pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	return (pid_t)pid;
}

pid_t
procfs_parse_inner_pid(const char *status)
{
	const char *value = find_field(status, "NSpid:");
	pid_t pid = -1;

	while (value != NULL) {
		char *end;
		value += strspn(value, " \t");
		if (*value < '0' || *value > '9')
			break;
		pid = (pid_t)strtol(value, &end, 10);
		value = end;
	}
	return pid;
}

int
procfs_parse_bytes(const char *text, const char *name, uint64_t *bytes_out)
{
	const char *value = find_field(text, name);
	unsigned long long kib;
	char *end;

	if (value == NULL)
		return -1;
	kib = strtoull(value, &end, 10);
	if (end == value || strncmp(end, " kB", 3) != 0 || kib > UINT64_MAX / 1024)
		return -1;
	*bytes_out = (uint64_t)kib * 1024;
	return 0;
}

int
procfs_available_bytes(uint64_t *bytes_out)
{
	char text[MEMINFO_BYTES];

	if (procfs_read("/proc/meminfo", text, sizeof(text)) < 0)
		return -1;
	return procfs_parse_bytes(text, "MemAvailable:", bytes_out);
}

static pid_t
read_inner_pid(pid_t outer)
{
	char path[64];
	char status[STATUS_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)outer);
	if (procfs_read(path, status, sizeof(status)) < 0)
		return -1;
	return procfs_parse_inner_pid(status);
}

static int
compare_inner(const void *left, const void *right)
{
	const struct procfs_child *a = left;
	const struct procfs_child *b = right;

	return (a->inner > b->inner) - (a->inner < b->inner);
}

static uint32_t
count_spaces(const char *text)
{
	uint32_t spaces = 0;

	for (; *text != '\0'; text++)
		spaces += *text == ' ';
	return spaces;
}

/* `text` is a list of pids with a space after each. */
static int
list_children(char *text, struct procfs_children *out)
{
	const uint32_t spaces = count_spaces(text);
	struct procfs_child *grown;
	char *end;

	grown = reallocarray(out->pids, out->count + spaces + 1, sizeof(*grown));
	if (grown == NULL)
		return -1;
	out->pids = grown;
	for (size_t i = 0; i <= spaces; i++) {
		pid_t outer = (pid_t)strtol(text, &end, 10);
		if (end == text)
			break;
		text = end;
		pid_t inner = read_inner_pid(outer);
		if (inner > 0)
			out->pids[out->count++] = (struct procfs_child){ inner, outer };
	}
	qsort(out->pids, out->count, sizeof(*out->pids), compare_inner);
	return 0;
}

/* The pids of a process's children, a space behind each; to be freed. NULL with errno. */
static char *
read_children(pid_t zygote)
{
	char path[64];
	char *text = malloc(CHILDREN_BYTES);

	if (text == NULL)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)zygote, (int)zygote);
	if (procfs_read(path, text, CHILDREN_BYTES) >= 0)
		return text;
	int saved = errno;
	free(text);
	errno = saved;
	return NULL;
}

int
procfs_children_add(pid_t zygote, struct procfs_children *list)
{
	char *text = read_children(zygote);
	int result;

	if (text == NULL)
		return -1;
	result = list_children(text, list);
	int saved = errno;
	free(text);
	errno = saved;
	return result;
}

bool
procfs_is_asleep(pid_t pid)
{
	char path[64];
	char text[1024];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (procfs_read(path, text, sizeof(text)) < 0)
		return false;
	end = strrchr(text, ')'); /* of the command, which may hold anything */
	return end != NULL && strncmp(end, ") S", 3) == 0;
}

int
procfs_children_count(pid_t zygote, uint32_t *count_out)
{
	char *text = read_children(zygote);

	if (text == NULL)
		return -1;
	*count_out = count_spaces(text);
	free(text);
	return 0;
}

void
procfs_children_free(struct procfs_children *children)
{
	free(children->pids);
	*children = (struct procfs_children){ 0 };
}

pid_t
procfs_children_outer(const struct procfs_children *children, pid_t inner)
{
	const struct procfs_child key = { .inner = inner };
	const struct procfs_child *found = NULL;

	if (children->count > 0)
		found = bsearch(&key, children->pids, children->count, sizeof(key), compare_inner);
	return found != NULL ? found->outer : inner;
}
