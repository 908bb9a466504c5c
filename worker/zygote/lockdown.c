/*
 * The order of lock-down. Each step needs what later steps take away: mounting needs the
 * namespaces, dropping from the bounding set needs capabilities, Landlock and the filter need
 * no_new_privs, and the filter forbids all the others.
 *
 * Runs in: zygote, once. A layer is applied whole, or recorded as missing with the reason; nothing
 * is retried weaker.
 */
#include "lockdown.h"

#include "base/confine.h"
#include "failure.h"
#include "figures.h"
#include "layers.h"

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

/* What a child may add to the data that it inherits; the zygote adds nothing from here on. */
static uint64_t
data_limit(const struct heritage_zygote *heritage)
{
	static const char *const keys[] = { "VmData:", NULL };
	uint64_t inherited;

	if (figures_read("/proc/self/status", keys, &inherited) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_LIMITS, errno,
			    "cannot read VmData in /proc/self/status");
	return inherited + heritage->memory_bytes;
}

static void
apply_optional(const struct heritage_zygote *heritage, struct msg_layer layers[LAYER_MAX])
{
	record(&layers[LAYER_USER], 0); /* main has refused uid 0 */
	record(&layers[LAYER_PID_NS], pid_namespace_error(heritage));
	namespaces_apply(layers);
	if (layers[LAYER_MOUNT_NS].state == LAYER_APPLIED)
		record(&layers[LAYER_ROOT], root_apply());
	else
		record(&layers[LAYER_ROOT], layers[LAYER_MOUNT_NS].error);
}

static void
apply_always(enum layer layer, struct msg_layer layers[LAYER_MAX], int error, enum zy_exit code)
{
	record(&layers[layer], error);
	if (error != 0)
		zygote_fail(code, error, "the layer %s, which is never optional, failed",
			    proto_layer_name(layer));
}

void
lockdown_apply(const struct heritage_zygote *heritage, struct msg_layer layers_out[LAYER_MAX])
{
	const uint64_t data_bytes = data_limit(heritage);

	apply_optional(heritage, layers_out);
	apply_always(LAYER_CAPABILITIES, layers_out, privileges_apply(), ZY_EXIT_SANDBOX_PRIVS);
	apply_always(LAYER_NO_NEW_PRIVS, layers_out, confine_no_new_privs(), ZY_EXIT_SANDBOX_PRIVS);
	record(&layers_out[LAYER_LANDLOCK], confine_landlock());
	apply_always(LAYER_RLIMITS, layers_out, limits_apply(heritage, data_bytes),
		     ZY_EXIT_SANDBOX_LIMITS);
	for (unsigned layer = 0; layer < LAYER_MAX; layer++)
		if (layer != LAYER_SECCOMP)
			require(heritage, (enum layer)layer, &layers_out[layer]);
	apply_always(LAYER_SECCOMP, layers_out, confine_filter(ZYGOTE_FILTER_FD),
		     ZY_EXIT_SANDBOX_FILTER);
	if (heritage->sandbox == SANDBOX_LOG)
		layers_out[LAYER_SECCOMP].state = LAYER_LOGGING;
}
