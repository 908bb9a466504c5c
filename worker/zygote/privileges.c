/*
 * Capabilities: the user namespace gave them all, now they all go.
 *
 * Runs in: zygote, after namespaces and root, which need them. Verified by reading back: a success
 * that did not empty the sets is a failure.
 */
#include "layers.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_END 64 /* two words of 32, the format of _LINUX_CAPABILITY_VERSION_3 */

#define SECUREBITS                                                                                 \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |   \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int
get_sets(struct __user_cap_data_struct sets_out[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, sets_out) < 0 ? errno : 0;
}

/*
 * The bounding set limits what an exec could bring back. Dropping from it needs CAP_SETPCAP, which
 * is missing only where there is no user namespace; no_new_privs, never optional, closes the same
 * door.
 */
static int
empty_bounding_set(const struct __user_cap_data_struct sets[2])
{
	if ((sets[0].effective & (1u << CAP_SETPCAP)) == 0)
		return 0;
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
		return errno;
	for (int capability = 0; capability < CAPABILITIES_END; capability++) {
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : errno; /* past this kernel's last one */
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno;
	}
	return 0;
}

static int
empty_sets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return errno;
	return syscall(SYS_capset, &header, none) < 0 ? errno : 0;
}

int
privileges_apply(void)
{
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };
	struct __user_cap_data_struct sets[2];

	int error = get_sets(sets);
	if (error == 0)
		error = empty_bounding_set(sets);
	if (error == 0)
		error = empty_sets();
	if (error == 0)
		error = get_sets(sets);
	if (error == 0 && memcmp(sets, none, sizeof(sets)) != 0)
		error = EPERM;
	if (error != 0)
		return error;
	/* Processes of the same user, children among them, can then neither trace nor read it. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? errno : 0;
}
