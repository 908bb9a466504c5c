/*
 * The zygote's way into the sandbox, after load and before its first child.
 */
#ifndef ZYGOTED_ZYGOTE_LOCKDOWN_H
#define ZYGOTED_ZYGOTE_LOCKDOWN_H

#include "base/heritage.h"

/*
 * Applies every layer but the filter and reports each in `layers_out`. Ends the zygote when a layer that is never
 * optional, or one that the configuration requires, cannot be had. In between the other zygotes of the generation are forked, which
 * have all of it already.
 */
void lockdown_apply(const struct heritage_zygote *heritage, struct msg_layer layers_out[LAYER_MAX]);

/*
 * The last layer, likewise, in each zygote: afterwards only the calls of the filter are left. Does not touch the heap.
 */
void lockdown_filter(const struct heritage_zygote *heritage,
		     struct msg_layer layers_out[LAYER_MAX]);

#endif
