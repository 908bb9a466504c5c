/*
 * /proc/PID/smaps_rollup as numbers. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_SMAPS_H
#define ZYGOTED_SUPERVISOR_SMAPS_H

#include <stddef.h>
#include <stdint.h>

/* Sums over all mappings of a process, in bytes: proc_pid_smaps(5). */
struct smaps_rollup {
	uint64_t rss_bytes;
	uint64_t pss_bytes;
	uint64_t shared_clean_bytes;
	uint64_t shared_dirty_bytes;
	uint64_t private_clean_bytes;
	uint64_t private_dirty_bytes;
	uint64_t anonymous_bytes;
	uint64_t swap_bytes;
};

/*
 * Reads the text of the file (NUL-terminated). 0; or -1 when a line is malformed, a number does not
 * fit, or a field is missing: then *out is undefined. Fields that it does not know are skipped.
 */
int smaps_parse_rollup(const char *text, struct smaps_rollup *out)
	__attribute__((warn_unused_result));

/* Shared and private pages of the process. Memory of a frozen image counts as private while one
 * process maps it. */
uint64_t smaps_shared_bytes(const struct smaps_rollup *rollup);
uint64_t smaps_private_bytes(const struct smaps_rollup *rollup);

/*
 * The most that the process can have added to what it inherited. An added page is private and anonymous; one of a frozen
 * image is never anonymous, one that is inherited and still shared never private.
 */
uint64_t smaps_added_bytes(const struct smaps_rollup *rollup);

#endif
