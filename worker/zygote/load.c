/*
 * Loads the worker: dlopen, ABI check, load(), and the answers that load() may ask for.
 *
 * Runs in: zygote, before its lock-down. Trusts the worker's file and its options: both are the
 * operator's. Nothing here may start a thread or leave one: forking copies only the calling thread,
 * and the others' locks would stay shut for ever.
 */
#include "load.h"

#include "base/msg.h"
#include "failure.h"
#include "threads.h"
#include "worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

struct zy_load {
	const struct heritage_zygote *heritage;
};

static char load_error[PROTO_TEXT_MAX - 64]; /* leaves room for the worker's name */
static bool is_loading;
static unsigned regions; /* named so far */

static size_t
option_step(const struct heritage_zygote *heritage, size_t at, const char **name_out,
	    const char **value_out)
{
	*name_out = heritage->options + at;
	*value_out = *name_out + strlen(*name_out) + 1;
	return (size_t)(*value_out - heritage->options) + strlen(*value_out) + 1;
}

const char *
zy_option(const struct zy_load *load, const char *name, size_t index)
{
	const char *option, *value;
	size_t at = 0;

	for (uint32_t i = 0; i < load->heritage->options_count; i++) {
		at = option_step(load->heritage, at, &option, &value);
		if (strcmp(option, name) == 0 && index-- == 0)
			return value;
	}
	return NULL;
}

static int
is_known(const char *option, const char *const known[])
{
	for (size_t i = 0; known[i] != NULL; i++)
		if (strcmp(option, known[i]) == 0)
			return 1;
	return 0;
}

int
zy_options_check(const struct zy_load *load, const char *const known[])
{
	const char *option, *value;
	size_t at = 0;

	for (uint32_t i = 0; i < load->heritage->options_count; i++) {
		at = option_step(load->heritage, at, &option, &value);
		if (!is_known(option, known))
			return zy_load_error(load, "option \"%s\" is not known to this worker",
					     option);
	}
	return 0;
}

const char *
zy_pool(const struct zy_load *load)
{
	return load->heritage->pool;
}

int
zy_runs_programs(const struct zy_load *load)
{
	return load->heritage->runs_programs != 0;
}

int
zy_load_error(const struct zy_load *load, const char *format, ...)
{
	va_list arguments;

	(void)load;
	va_start(arguments, format);
	vsnprintf(load_error, sizeof(load_error), format, arguments);
	va_end(arguments);
	return -1;
}

/* Options are read without bounds later on, so they are checked whole here. */
static void
check_options(const struct heritage_zygote *heritage)
{
	size_t strings = 0;

	if (heritage->options_bytes > HERITAGE_OPTIONS_MAX)
		zygote_fail(ZY_EXIT_HERITAGE, 0, "options too long");
	for (size_t i = 0; i < heritage->options_bytes; i++)
		strings += heritage->options[i] == '\0';
	if (strings != (size_t)heritage->options_count * 2 ||
	    (heritage->options_bytes > 0 && heritage->options[heritage->options_bytes - 1] != '\0'))
		zygote_fail(ZY_EXIT_HERITAGE, 0, "options malformed");
}

/* By descriptor: the path may lead through folders that only the supervisor's user may enter. */
static const struct zy_worker *
open_worker(const struct heritage_zygote *heritage)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", ZYGOTE_WORKER_FD);
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	close(ZYGOTE_WORKER_FD);

	if (object == NULL)
		zygote_fail(ZY_EXIT_LOAD, 0, "worker %s (%s): %s", heritage->worker,
			    heritage->worker_path, dlerror());
	const struct zy_worker *worker = dlsym(object, "zy_worker");
	if (worker == NULL)
		zygote_fail(ZY_EXIT_LOAD, 0, "worker %s: %s exports no zy_worker", heritage->worker,
			    heritage->worker_path);
	if (worker->abi != ZY_WORKER_ABI)
		zygote_fail(ZY_EXIT_LOAD, 0,
			    "worker %s is built for ABI %u, this zygote speaks %d: rebuild it with "
			    "our worker.h",
			    heritage->worker, worker->abi, ZY_WORKER_ABI);
	if (worker->handle == NULL)
		zygote_fail(ZY_EXIT_LOAD, 0, "worker %s has no handle function", heritage->worker);
	return worker;
}

static void
refuse_threads(const struct heritage_zygote *heritage)
{
	char names[256];
	int count = threads_list(names, sizeof(names));

	if (count < 0)
		zygote_fail(ZY_EXIT_THREADS, errno, "cannot count threads in /proc/self/task");
	if (count > 0)
		zygote_fail(ZY_EXIT_THREADS, 0, "worker %s left %d thread%s running:%s",
			    heritage->worker, count, count == 1 ? "" : "s", names);
}

/*
 * Sent at once, so that no list of them lies in memory that children inherit. The channel holds them all: the supervisor
 * reads it while a worker loads, and a name that does not get through is a name less.
 */
int
zy_name_region(const void *address, size_t bytes, const char *name)
{
	struct msg_region message = { .address = (uintptr_t)address, .bytes = bytes };
	const size_t length = name != NULL ? strnlen(name, sizeof(message.name)) : 0;

	if (!is_loading || bytes == 0 || bytes > UINTPTR_MAX - (uintptr_t)address || length == 0 ||
	    length == sizeof(message.name) || regions == PROTO_REGIONS_MAX)
		return -1;
	memcpy(message.name, name, length);
	msg_init(&message, MSG_REGION);
	if (msg_send(ZYGOTE_SUPERVISOR_FD, &message, NULL, 0) < 0)
		return -1;
	regions++;
	return 0;
}

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
load_worker(const struct heritage_zygote *heritage, struct loaded *out)
{
	const struct zy_load load = { heritage };

	check_options(heritage);
	*out = (struct loaded){ .worker = open_worker(heritage) };
	uint64_t start_us = now_us();
	is_loading = true;
	if (out->worker->load != NULL && out->worker->load(&load, &out->state) != 0)
		zygote_fail(ZY_EXIT_LOAD, 0, "worker %s: %s", heritage->worker,
			    load_error[0] != '\0' ? load_error : "load failed without a reason");
	is_loading = false;
	out->load_us = now_us() - start_us;
	refuse_threads(heritage);
	/* What is still in a stdio buffer would come out once per child. */
	fflush(NULL);
}
