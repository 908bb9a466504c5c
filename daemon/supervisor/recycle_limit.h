/*
 * How often a pool may be recycled by itself: an attacker whose crashes call for a new generation
 * must not keep the machine busy loading one after the other. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_RECYCLE_LIMIT_H
#define ZYGOTED_SUPERVISOR_RECYCLE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define RECYCLE_LIMIT_MIN_MS 10000
#define RECYCLE_LIMIT_MAX_MS 600000

/* Starts as zeros. */
struct recycle_limit {
	uint64_t last_ms;     /* the last attempt */
	uint32_t interval_ms; /* until the next; 0: there was none */
};

/* Milliseconds to wait before the next attempt; 0: now. */
uint32_t recycle_limit_wait(const struct recycle_limit *limit, uint64_t now_ms);

/*
 * An attempt is made now. When it follows the last one after twice the interval or more, the
 * interval is the minimum again. Otherwise it stays, or is doubled up to the maximum if `backs_off`:
 * for attempts that should not be needed that often.
 */
void recycle_limit_note(struct recycle_limit *limit, uint64_t now_ms, bool backs_off);

#endif
