/*
 * The default path of the control socket.
 *
 * Runs in: supervisor, zygotectl. Trusts its own environment: neither program runs with more rights
 * than the user who set it. Daemon and tool must never each have a rule of their own.
 */
#include "base/control_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A service manager's RuntimeDirectory=, unless there are several: systemd.exec(5). */
static const char *
service_directory(void)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	return directory && directory[0] == '/' && !strchr(directory, ':') ? directory : NULL;
}

static int
format_user_path(char *out, size_t size)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	if (service_directory())
		return snprintf(out, size, "%s/control.sock", service_directory());
	if (runtime_dir && runtime_dir[0] == '/')
		return snprintf(out, size, "%s/zygoted.sock", runtime_dir);
	return snprintf(out, size, "/tmp/zygoted-%u/control.sock", (unsigned)geteuid());
}

int
control_path_default(char *out, size_t size)
{
	int length = geteuid() == 0 ? snprintf(out, size, "/run/zygoted/control.sock")
				    : format_user_path(out, size);

	if (length < 0 || (size_t)length >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}
