/*
 * Makes BPF programs from the policy table. The only user of libseccomp.
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_COMPILE_H
#define ZYGOTED_SUPERVISOR_POLICY_COMPILE_H

#include "base/heritage.h"

/*
 * Compiles the filter of `profile` ("compute", "front"): calls without a row kill the process, or
 * are only logged by the kernel when mode is SANDBOX_LOG; a foreign architecture and x32 kill in
 * either mode. Returns a sealed memfd with an array of struct sock_filter (close-on-exec, the
 * caller's), -1 with errno (EINVAL: no such profile).
 */
int policy_compile(const char *profile, enum sandbox_mode mode) __attribute__((warn_unused_result));

#endif
