/*
 * The layers of a zygote's sandbox, one function each. All are irreversible, all return 0 or the
 * errno that made them impossible, and none falls back to anything weaker. Order and consequences
 * are lockdown.c's.
 */
#ifndef ZYGOTED_ZYGOTE_LAYERS_H
#define ZYGOTED_ZYGOTE_LAYERS_H

#include "base/heritage.h"

#include <stdbool.h>

struct read_paths;

/* User, net, ipc, uts and mount namespaces; a result for each of LAYER_USER_NS.. LAYER_MOUNT_NS. */
void namespaces_apply(struct msg_layer layers[LAYER_MAX]);

/*
 * A read-only root directory, empty but for `paths`, from which programs and code may be loaded or
 * not. Needs the mount namespace.
 */
int root_apply(const struct read_paths *paths, bool loads_code) __attribute__((warn_unused_result));

/* All capability sets emptied, of this process and of whatever it could become. */
int privileges_apply(void) __attribute__((warn_unused_result));

/*
 * Resource limits that zygote and children share. `data_bytes` is RLIMIT_DATA, `space_bytes` all
 * that may be mapped but for the stack's growth.
 */
int limits_apply(const struct heritage_zygote *heritage, uint64_t data_bytes, uint64_t space_bytes)
	__attribute__((warn_unused_result));

#endif
