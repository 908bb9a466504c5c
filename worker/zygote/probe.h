/*
 * The probe: a child that parks like any other, but belongs to no front and never serves. Its
 * memory can be looked at without holding up the zygote. There is one at a time.
 */
#ifndef ZYGOTED_ZYGOTE_PROBE_H
#define ZYGOTED_ZYGOTE_PROBE_H

#include <stdint.h>

struct children;
struct probe;

/* Forks it; the answer (MSG_PROBED, with EBUSY when there is one already) goes out with the
 * reports. */
void probe_start(struct children *children, uint64_t cookie);

/* Kills and forgets it. No effect when there is none. */
void probe_end(struct probe *probe);

#endif
