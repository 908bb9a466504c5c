/*
 * The unprivileged user of front, zygotes and children.
 *
 * Runs in: supervisor (resolve, at start: it may ask the name service), a process before its exec
 * (apply). The rule: nothing but the supervisor ever runs as uid 0.
 */
#include "supervisor/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static void
take_user(const struct passwd *user, struct identity *identity)
{
	identity->uid = user->pw_uid;
	identity->gid = user->pw_gid;
	snprintf(identity->name, sizeof(identity->name), "%s", user->pw_name);
}

static const struct passwd *
find_default_user(char *notice, size_t notice_size)
{
	const struct passwd *user = getpwnam("zygoted");

	if (user != NULL)
		return user;
	snprintf(notice, notice_size,
		 "no user zygoted: front and children run as nobody, which other services may "
		 "share");
	return getpwnam("nobody");
}

static void
resolve_as_root(const char *configured, struct identity *identity, char *notice, size_t notice_size)
{
	const struct passwd *user = configured[0] != '\0' ? getpwnam(configured)
							  : find_default_user(notice, notice_size);

	if (user != NULL)
		take_user(user, identity);
	else if (configured[0] != '\0')
		die("there is no user \"%s\": create it or change `user`", configured);
	else
		die("there is neither a user zygoted nor a user nobody: create one and set `user`");
	if (identity->uid == 0 || identity->gid == 0)
		die("user \"%s\" has uid or gid 0: front and children never run as root, change "
		    "`user`",
		    identity->name);
}

static void
resolve_as_ourselves(const char *configured, struct identity *identity, char *notice,
		     size_t notice_size)
{
	const struct passwd *user;

	identity->uid = geteuid();
	identity->gid = getegid();
	snprintf(identity->name, sizeof(identity->name), "%u", (unsigned)identity->uid);
	user = getpwuid(identity->uid);
	if (user != NULL)
		snprintf(identity->name, sizeof(identity->name), "%s", user->pw_name);
	if (configured[0] != '\0' && strcmp(configured, identity->name) != 0)
		snprintf(notice, notice_size, "not root: `user` is ignored, everything runs as %s",
			 identity->name);
}

void
identity_resolve(const char *configured, struct identity *identity_out, char *notice,
		 size_t notice_size)
{
	memset(identity_out, 0, sizeof(*identity_out));
	notice[0] = '\0';
	identity_out->is_root = geteuid() == 0;
	if (identity_out->is_root)
		resolve_as_root(configured, identity_out, notice, notice_size);
	else
		resolve_as_ourselves(configured, identity_out, notice, notice_size);
}

int
identity_apply(const struct identity *identity)
{
	uid_t real, effective, saved;

	if (!identity->is_root)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) < 0)
		return -1;
	/* Trust no return value with this: look. */
	if (getresuid(&real, &effective, &saved) < 0)
		return -1;
	if (real == 0 || effective == 0 || saved == 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
