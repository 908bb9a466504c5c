/*
 * The layers of a zygote's sandbox, one function each. All are irreversible, all return 0 or the
 * errno that made them impossible, and none falls back to anything weaker. Order and consequences
 * are lockdown.c's.
 */
#ifndef ZYGOTED_ZYGOTE_LAYERS_H
#define ZYGOTED_ZYGOTE_LAYERS_H

#include "base/heritage.h"

/* User, net, ipc, uts and mount namespaces; a result for each of LAYER_USER_NS.. LAYER_MOUNT_NS. */
void namespaces_apply(struct msg_layer layers[LAYER_MAX]);

/* An empty read-only root directory. Needs the mount namespace. */
int root_apply(void) __attribute__((warn_unused_result));

/* All capability sets emptied, of this process and of whatever it could become. */
int privileges_apply(void) __attribute__((warn_unused_result));

/* Resource limits that zygote and children share. `data_bytes` is RLIMIT_DATA. */
int limits_apply(const struct heritage_zygote *heritage, uint64_t data_bytes)
	__attribute__((warn_unused_result));

#endif
