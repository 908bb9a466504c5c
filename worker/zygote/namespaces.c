/*
 * The zygote's own namespaces. All children live in them; making them for each child would cost
 * more than the fork.
 *
 * Runs in: zygote, after load. The user namespace maps the user to itself and nobody else: the
 * privileges that it brings are used for the mount namespace and dropped before the first child.
 */
#include "layers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	enum layer layer;
	int flag;
} namespaces[] = {
	{ LAYER_USER_NS, CLONE_NEWUSER }, /* first: it allows the others */
	{ LAYER_NET_NS, CLONE_NEWNET },	  { LAYER_IPC_NS, CLONE_NEWIPC },
	{ LAYER_UTS_NS, CLONE_NEWUTS },	  { LAYER_MOUNT_NS, CLONE_NEWNS },
};

#define COUNT (sizeof(namespaces) / sizeof(namespaces[0]))

static int
write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, line, strlen(line)) < 0)
		error = errno;
	close(fd);
	return error;
}

/* setgroups has to be given up before an unprivileged process may map its group,
 * user_namespaces(7). */
static int
map_identity(uid_t uid, gid_t gid)
{
	char line[64];

	int error = write_line("/proc/self/setgroups", "deny");
	if (error != 0 && error != ENOENT)
		return error;
	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	error = write_line("/proc/self/uid_map", line);
	if (error != 0)
		return error;
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	return write_line("/proc/self/gid_map", line);
}

static void
record(struct msg_layer *layer, int error)
{
	layer->state = error == 0 ? LAYER_APPLIED : LAYER_MISSING;
	layer->error = error;
}

/* Whatever of them can be had, where not all can. */
static void
apply_each(struct msg_layer layers[LAYER_MAX])
{
	for (size_t i = 0; i < COUNT; i++)
		record(&layers[namespaces[i].layer], unshare(namespaces[i].flag) < 0 ? errno : 0);
}

void
namespaces_apply(struct msg_layer layers[LAYER_MAX])
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int all = 0;

	for (size_t i = 0; i < COUNT; i++)
		all |= namespaces[i].flag;
	if (unshare(all) < 0) {
		apply_each(layers);
	} else {
		for (size_t i = 0; i < COUNT; i++)
			record(&layers[namespaces[i].layer], 0);
	}
	/* Without the map this would be the overflow user, and the checks for uid 0 would look at
	 * the wrong number. */
	if (layers[LAYER_USER_NS].state == LAYER_APPLIED)
		record(&layers[LAYER_USER_NS], map_identity(uid, gid));
}
