/*
 * Resource limits that are set once, in the zygote, and inherited by every child for nothing. Those
 * that would bind the zygote itself (processes, CPU time) are set by each child.
 *
 * Runs in: zygote, after load. Soft and hard limits are the same, so that a child has none to
 * raise.
 */
#include "failure.h"
#include "layers.h"
#include "siblings.h"

#include <errno.h>
#include <sys/resource.h>

#define STACK_BYTES	  (8u << 20)
#define SPARE_DESCRIPTORS 16
/* Children cannot be dumped, but a program that one executes could. 0 forbids files and lets dumps go to a pipe; 1 forbids either: fs/coredump.c. */
#define NO_CORE_BYTES 1

/* Lowers, or leaves what is lower already. */
static int
lower(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return errno;
	if (limit.rlim_max < value)
		value = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = value;
	return setrlimit(resource, &limit) < 0 ? errno : 0;
}

/* The zygote holds a pidfd per child and the descriptors of one order. Fewer: descriptors in orders
 * would be lost. */
static int
limit_descriptors(const struct heritage_zygote *heritage)
{
	const rlim_t needed = siblings_fd_end(heritage) +
			      (rlim_t)heritage->fronts * heritage->max_children + 1 +
			      2 * PROTO_BATCH_MAX + SPARE_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return errno;
	if (limit.rlim_max < needed)
		return EMFILE;
	limit.rlim_cur = limit.rlim_max = needed;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? errno : 0;
}

/* A hard limit of 0 is lower already, and only the supervisor, if it is root, can raise it. */
static int
forbid_dumps(const struct heritage_zygote *heritage)
{
	struct rlimit limit;
	const int error = lower(RLIMIT_CORE, NO_CORE_BYTES);

	if (error != 0 || getrlimit(RLIMIT_CORE, &limit) < 0)
		return error != 0 ? error : errno;
	if (heritage->runs_programs != 0 && limit.rlim_max != NO_CORE_BYTES)
		zygote_fail(
			ZY_EXIT_SANDBOX_LIMITS, EPERM,
			"the hard limit of core files is 0, which lets dumps of programs go to a "
			"pipe: start zygoted with 1 (LimitCORE=1, prlimit --core=1)");
	return 0;
}

int
limits_apply(const struct heritage_zygote *heritage, uint64_t data_bytes, uint64_t space_bytes)
{
	static const int none[] = { RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_RTPRIO, RLIMIT_NICE };
	int error = limit_descriptors(heritage);

	for (size_t i = 0; error == 0 && i < sizeof(none) / sizeof(none[0]); i++)
		error = lower(none[i], 0);
	if (error == 0)
		error = forbid_dumps(heritage);
	if (error == 0)
		error = lower(RLIMIT_STACK, STACK_BYTES);
	if (error == 0)
		error = lower(RLIMIT_DATA, data_bytes);
	/* Addresses too: page tables of memory that is only read count as nobody's data. */
	if (error == 0)
		error = lower(RLIMIT_AS, space_bytes + STACK_BYTES);
	return error;
}
