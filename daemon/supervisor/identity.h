/*
 * As whom front, zygotes and children run.
 */
#ifndef ZYGOTED_SUPERVISOR_IDENTITY_H
#define ZYGOTED_SUPERVISOR_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct identity {
	bool is_root; /* we are root and drop the others to uid and gid; else uid and gid are our
			 own */
	uid_t uid;
	gid_t gid;
	char name[64]; /* of the user, or its number */
};

/*
 * Finds the user for `configured` ("" = default: zygoted if there is such a user, else nobody).
 * Dies for an unknown user and for uid 0. `notice` gets a line for the operator when the outcome is
 * weaker than one would wish, else "".
 */
void identity_resolve(const char *configured, struct identity *identity_out, char *notice,
		      size_t notice_size);

/*
 * Becomes that user for good: groups, gid, uid, real, effective and saved. Without effect when not
 * root. 0, or -1 with errno: the caller must not go on. Runs in a process between fork and exec.
 */
int identity_apply(const struct identity *identity) __attribute__((warn_unused_result));

#endif
