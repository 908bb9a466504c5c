/*
 * Makes BPF programs from the policy table. The only user of libseccomp.
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_COMPILE_H
#define ZYGOTED_SUPERVISOR_POLICY_COMPILE_H

#include <stddef.h>

/* What happens to a call that no row is about. */
enum policy_rest {
	POLICY_REST_KILL,   /* the process is killed */
	POLICY_REST_NOTIFY, /* it waits for who listens to the filter, sandbox = "log" */
	POLICY_REST_LOG,    /* the kernel logs it and carries it out */
	POLICY_REST_MAX
};

/*
 * Compiles the filter of `profile` ("compute", "front"). A foreign architecture and x32 kill,
 * whatever happens to the rest. Returns a sealed memfd with an array of struct sock_filter
 * (close-on-exec, the caller's), -1 with errno (EINVAL: no such profile).
 */
int policy_compile(const char *profile, enum policy_rest rest) __attribute__((warn_unused_result));

/* The number of a system call on x86-64, negative if there is none of that name. */
int policy_call_number(const char *call);

/* The name of the system call with that number on x86-64, "?" when there is none. Returns out. */
char *policy_call_name(int number, char *out, size_t size);

#endif
