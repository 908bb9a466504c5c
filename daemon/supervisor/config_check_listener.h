/*
 * Defaults and checks of listeners: the part of config_check.h that is theirs.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_CHECK_LISTENER_H
#define ZYGOTED_SUPERVISOR_CONFIG_CHECK_LISTENER_H

#include "supervisor/config.h"
#include "supervisor/config_errors.h"

/* Metrics alone serve nobody. */
int config_has_client_listener(const struct config *config);

/* Fills in what follows from other keys; a pool that gets frames gets their route. */
void config_complete_listener(struct config *config, struct config_listener *listener,
			      struct config_errors *errors);

/* Judges one, beside those before it. */
void config_check_listener(const struct config *config, uint32_t index,
			   struct config_errors *errors);

#endif
