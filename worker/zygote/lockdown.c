/*
 * The order of lock-down, in two halves: between them the state is frozen. Each step needs what later steps take away: mounting needs the
 * namespaces, dropping from the bounding set needs capabilities, Landlock and the filter need
 * no_new_privs, and the filter forbids all the others.
 *
 * Runs in: zygote, once. A layer is applied whole, or recorded as missing with the reason; nothing
 * is retried weaker.
 */
#include "lockdown.h"

#include "base/confine.h"
#include "base/msg.h"
#include "failure.h"
#include "figures.h"
#include "layers.h"
#include "read_paths.h"

#include <errno.h>
#include <unistd.h>

static void
record(struct msg_layer *layer, int error)
{
	layer->state = error == 0 ? LAYER_APPLIED : LAYER_MISSING;
	layer->error = error;
}

/* The supervisor made it, or could not. A process that is not number 1 has none, whatever we were
 * told. */
static int
pid_namespace_error(const struct heritage_zygote *heritage)
{
	if (getpid() == 1)
		return 0;
	return heritage->pid_ns_error > 0 ? heritage->pid_ns_error : EPERM;
}

static void
require(const struct heritage_zygote *heritage, enum layer layer, const struct msg_layer *result)
{
	if (result->state == LAYER_MISSING && (heritage->required_layers & (1u << layer)) != 0)
		zygote_fail(ZY_EXIT_LAYER, result->error,
			    "the configuration requires the layer %s, which is not available here",
			    proto_layer_name(layer));
}

static uint64_t
inherited_bytes(const char *key)
{
	const char *const keys[] = { key, NULL };
	uint64_t bytes;

	if (figures_read("/proc/self/status", keys, &bytes) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_LIMITS, errno, "cannot read %s in /proc/self/status",
			    key);
	return bytes;
}

/* Opened between the namespaces and the root: see read_paths.c. */
static void
apply_optional(const struct heritage_zygote *heritage, struct msg_layer layers[LAYER_MAX],
	       struct read_paths *paths_out)
{
	record(&layers[LAYER_USER], 0); /* main has refused uid 0 */
	record(&layers[LAYER_PID_NS], pid_namespace_error(heritage));
	namespaces_apply(layers);
	read_paths_open(heritage, paths_out);
	if (layers[LAYER_MOUNT_NS].state == LAYER_APPLIED)
		record(&layers[LAYER_ROOT], root_apply(paths_out, heritage->loads_code != 0));
	else
		record(&layers[LAYER_ROOT], layers[LAYER_MOUNT_NS].error);
}

/* The rules need the paths, and nobody needs them afterwards. */
static void
apply_landlock(struct msg_layer layers[LAYER_MAX], struct read_paths *paths, bool executes)
{
	int fds[HERITAGE_READ_PATHS_COUNT];

	for (size_t i = 0; i < paths->count; i++)
		fds[i] = paths->paths[i].fd;
	record(&layers[LAYER_LANDLOCK], confine_landlock(fds, paths->count, executes));
	read_paths_close(paths);
}

/* The filter of a profile that reads files lets any path be named. */
static void
require_bounds_of_files(const struct heritage_zygote *heritage,
			const struct msg_layer layers[LAYER_MAX])
{
	if (heritage->reads_files && layers[LAYER_ROOT].state == LAYER_MISSING &&
	    layers[LAYER_LANDLOCK].state == LAYER_MISSING)
		zygote_fail(ZY_EXIT_SANDBOX, layers[LAYER_ROOT].error,
			    "nothing keeps children of this profile to read_paths: neither "
			    "empty-root nor landlock is available here; use profile \"compute\"");
}

static void
apply_always(enum layer layer, struct msg_layer layers[LAYER_MAX], int error, enum zy_exit code)
{
	record(&layers[layer], error);
	if (error != 0)
		zygote_fail(code, error, "the layer %s, which is never optional, failed",
			    proto_layer_name(layer));
}

/*
 * In log mode the supervisor gets the listener, and this process keeps no copy: a child that had it
 * could answer for itself. What is called between the load and the supervisor's next round has a
 * row, or it waits.
 */
static int
load_filter(const struct heritage_zygote *heritage)
{
	struct msg_cookie message = { .cookie = 0 };
	int listener_fd;

	if (!heritage->sandbox_notifies)
		return confine_filter(ZYGOTE_FILTER_FD, NULL);
	int error = confine_filter(ZYGOTE_FILTER_FD, &listener_fd);
	if (error != 0)
		return error;
	msg_init(&message, MSG_SANDBOX_LISTENER);
	if (msg_send(ZYGOTE_SUPERVISOR_FD, &message, &listener_fd, 1) < 0)
		error = errno;
	close(listener_fd);
	return error;
}

void
lockdown_apply(const struct heritage_zygote *heritage, struct msg_layer layers_out[LAYER_MAX])
{
	/* What a child may add to what it inherits; the first stack will be data as soon as it moves aside. */
	const uint64_t data_bytes =
		inherited_bytes("VmData:") + inherited_bytes("VmStk:") + heritage->memory_bytes;
	const uint64_t space_bytes = inherited_bytes("VmSize:") + heritage->memory_bytes;
	struct read_paths paths;

	apply_optional(heritage, layers_out, &paths);
	apply_always(LAYER_CAPABILITIES, layers_out, privileges_apply(), ZY_EXIT_SANDBOX_PRIVS);
	apply_always(LAYER_NO_NEW_PRIVS, layers_out, confine_no_new_privs(), ZY_EXIT_SANDBOX_PRIVS);
	apply_landlock(layers_out, &paths, heritage->runs_programs != 0);
	require_bounds_of_files(heritage, layers_out);
	apply_always(LAYER_RLIMITS, layers_out, limits_apply(heritage, data_bytes, space_bytes),
		     ZY_EXIT_SANDBOX_LIMITS);
	for (unsigned layer = 0; layer < LAYER_MAX; layer++)
		if (layer != LAYER_SECCOMP)
			require(heritage, (enum layer)layer, &layers_out[layer]);
}

void
lockdown_filter(const struct heritage_zygote *heritage, struct msg_layer layers_out[LAYER_MAX])
{
	apply_always(LAYER_SECCOMP, layers_out, load_filter(heritage), ZY_EXIT_SANDBOX_FILTER);
	if (heritage->sandbox == SANDBOX_LOG)
		layers_out[LAYER_SECCOMP].state = LAYER_LOGGING;
}
