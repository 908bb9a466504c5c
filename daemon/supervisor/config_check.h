/*
 * What can be said about a configuration only when all of it has been read: defaults that depend on
 * other things, and rules between keys, sections and the system.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_CHECK_H
#define ZYGOTED_SUPERVISOR_CONFIG_CHECK_H

#include "supervisor/config.h"
#include "supervisor/config_errors.h"

/* Fills in what is still empty: control, worker_dir, zygote_program, each pool's worker_path and
 * spare. */
void config_complete(struct config *config, struct config_errors *errors);

/* Notes all that is wrong. `last_line` is the file's, for what is missing in it. */
void config_check(const struct config *config, struct config_errors *errors, unsigned last_line);

#endif
