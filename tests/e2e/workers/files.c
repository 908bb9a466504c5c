/*
 * A worker for tests: does with files what the request names. The path after the route is the
 * deed, the body is a file's name: see the table of deeds. Answers with what it got, or with the
 * name of the error. Two deeds make calls that no profile has.
 *
 * Runs in: a child. Never installed.
 */
#include "worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 1024
#define OPENED_MAX     2048

static int
say_error(struct zy_request *request)
{
	return zy_printf(request, "%s\n", strerrorname_np(errno));
}

static int
say_result(struct zy_request *request, int result)
{
	return result < 0 ? say_error(request) : zy_printf(request, "done\n");
}

static int
do_read(struct zy_request *request, const char *name)
{
	char data[4096];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return say_error(request);
	size = read(fd, data, sizeof(data));
	close(fd);
	return size < 0 ? say_error(request) : zy_write(request, data, (size_t)size);
}

static int
do_list(struct zy_request *request, const char *name)
{
	DIR *directory = opendir(name);
	struct dirent *entry;

	if (directory == NULL)
		return say_error(request);
	while ((entry = readdir(directory)) != NULL)
		if (zy_printf(request, "%s\n", entry->d_name) != 0)
			break;
	closedir(directory);
	return 0;
}

static int
do_write(struct zy_request *request, const char *name)
{
	return say_result(request, open(name, O_WRONLY));
}

static int
do_truncate(struct zy_request *request, const char *name)
{
	return say_result(request, open(name, O_RDONLY | O_TRUNC));
}

static int
do_create(struct zy_request *request, const char *name)
{
	return say_result(request, open(name, O_RDWR | O_CREAT, 0600));
}

static int
do_rename(struct zy_request *request, const char *name)
{
	char other[NAME_MAX_BYTES + 8];

	snprintf(other, sizeof(other), "%s.other", name);
	return say_result(request, rename(name, other));
}

static int
do_unlink(struct zy_request *request, const char *name)
{
	return say_result(request, unlink(name));
}

static int
do_mkdir(struct zy_request *request, const char *name)
{
	return say_result(request, mkdir(name, 0700));
}

static int
do_stat(struct zy_request *request, const char *name)
{
	struct stat status;

	return say_result(request, stat(name, &status));
}

static int
do_link(struct zy_request *request, const char *name)
{
	char target[NAME_MAX_BYTES];
	ssize_t size = readlink(name, target, sizeof(target));

	return size < 0 ? say_error(request) : zy_write(request, target, (size_t)size);
}

static int
map(struct zy_request *request, const char *name, int protection)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	void *memory;

	if (fd < 0)
		return say_error(request);
	memory = mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0);
	return memory == MAP_FAILED ? say_error(request) : zy_printf(request, "done\n");
}

static int
do_map(struct zy_request *request, const char *name)
{
	return map(request, name, PROT_READ);
}

static int
do_code(struct zy_request *request, const char *name)
{
	return map(request, name, PROT_READ | PROT_EXEC);
}

/* How often a file can be opened. */
static int
do_count(struct zy_request *request, const char *name)
{
	int count = 0;

	while (count < OPENED_MAX && open(name, O_RDONLY) >= 0)
		count++;
	return zy_printf(request, "%d %s\n", count, strerrorname_np(errno));
}

/* Calls that no profile has. */
static int
do_socket(struct zy_request *request, const char *name)
{
	(void)name;
	return say_result(request, socket(AF_INET, SOCK_STREAM, 0));
}

static int
do_kinds(struct zy_request *request, const char *count)
{
	for (int i = 0; i < atoi(count); i++)
		flock(-1, i);
	return say_result(request, 0);
}

static const struct {
	const char *name;
	int (*run)(struct zy_request *request, const char *name);
} deeds[] = {
	{ "read", do_read },	     { "list", do_list },     { "write", do_write },
	{ "create", do_create },     { "rename", do_rename }, { "unlink", do_unlink },
	{ "stat", do_stat },	     { "link", do_link },     { "map", do_map },
	{ "code", do_code },	     { "count", do_count },   { "mkdir", do_mkdir },
	{ "truncate", do_truncate }, { "socket", do_socket }, { "kinds", do_kinds },
};

static int
files_handle(void *state, struct zy_request *request)
{
	const char *deed = zy_field(request, ZY_REST);
	char name[NAME_MAX_BYTES];
	size_t used = 0;
	size_t got;

	(void)state;
	while (used < sizeof(name) - 1 &&
	       (got = zy_read(request, name + used, sizeof(name) - 1 - used)) > 0)
		used += got;
	name[used] = '\0';
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(deeds[i].name, deed) == 0)
			return deeds[i].run(request, name);
	zy_status(request, 404);
	return zy_printf(request, "no such deed\n");
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "files",
	.profile = "files",
	.handle = files_handle,
};
