/*
 * Memory that can still be had.
 */
#ifndef ZYGOTED_SUPERVISOR_AVAILABLE_H
#define ZYGOTED_SUPERVISOR_AVAILABLE_H

#include <stdint.h>

/* Of the machine or of our control group, whichever has less. 0, or -1 when neither is known. */
int available_bytes(uint64_t *bytes_out) __attribute__((warn_unused_result));

/*
 * What is left below `max` ("max": no bound) when `current` is in use, `stat` says of what; from the texts of the group's files.
 * UINT64_MAX: no bound.
 */
uint64_t available_in_group(const char *max, const char *current, const char *stat);

#endif
