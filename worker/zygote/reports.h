/*
 * What the zygote tells its fronts and the supervisor.
 */
#ifndef ZYGOTED_ZYGOTE_REPORTS_H
#define ZYGOTED_ZYGOTE_REPORTS_H

struct children;

/*
 * Sends what is due, in the order in which it happened for each child. What meets a full channel
 * stays in the table for the next call. Never blocks; ends the zygote when the supervisor has gone.
 */
void reports_flush(struct children *children);

/* Answers the supervisor's question, which is children->message, whether the zygote's loop goes round. */
void reports_send_health(const struct children *children);

#endif
