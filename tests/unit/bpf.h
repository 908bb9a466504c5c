/*
 * An interpreter for the classic BPF that seccomp takes, independent of libseccomp and of the
 * kernel: what a filter answers to a call, without making the call.
 */
#ifndef ZYGOTED_TESTS_BPF_H
#define ZYGOTED_TESTS_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Runs `program` over one call. Returns the number of instructions it took and the filter's verdict
 * (SECCOMP_RET_* with its data), -1 for a program that the kernel would refuse or that runs off its
 * end.
 */
int bpf_run(const struct sock_filter *program, size_t count, const struct seccomp_data *call,
	    uint32_t *verdict_out) __attribute__((warn_unused_result));

#endif
