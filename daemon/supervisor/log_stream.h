/*
 * Standard error, which is the log of the supervisor and of all that it starts.
 */
#ifndef ZYGOTED_SUPERVISOR_LOG_STREAM_H
#define ZYGOTED_SUPERVISOR_LOG_STREAM_H

#include <stdbool.h>

/* Whether it is the journal. */
bool log_stream_is_journal(void);

/* Has writes to it fail where they would wait, if that can be had without a change for others who
 * have the same file open. */
void log_stream_unblock(void);

#endif
