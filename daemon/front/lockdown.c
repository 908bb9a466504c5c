/*
 * The front's own sandbox: no new processes, no files, no core, its own system-call filter.
 *
 * Runs in: front, once, after its start. What it holds by then (listeners, channels) is all that it
 * will ever get, but for accepted connections and the channels of zygotes. Fails closed.
 */
#include "front/lockdown.h"

#include "base/confine.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void
require_step(int error, const char *step)
{
	if (error != 0)
		die("the front cannot be confined: %s: %s", step, strerror(error));
}

static int
set_limit(int resource, rlim_t value)
{
	const struct rlimit limit = { value, value };

	return setrlimit(resource, &limit) < 0 ? errno : 0;
}

void
lockdown_apply(const struct heritage_front *heritage)
{
	int error;

	if (geteuid() == 0 || getuid() == 0)
		die("the front refuses to run as root");
	require_step(set_limit(RLIMIT_CORE, 0), "RLIMIT_CORE");
	require_step(set_limit(RLIMIT_NPROC, 0), "RLIMIT_NPROC");
	require_step(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? errno : 0, "dumpable");
	require_step(confine_no_new_privs(), "no_new_privs");
	error = confine_landlock(NULL, 0, false);
	if (error != 0)
		log_event(LOG_WARNING, "landlock not available", "process=front error=\"%s\"",
			  strerror(error));
	if (heritage->sandbox)
		require_step(confine_filter(FRONT_FILTER_FD, NULL), "seccomp");
	else
		close(FRONT_FILTER_FD);
}
