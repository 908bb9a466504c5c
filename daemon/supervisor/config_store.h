/*
 * One value of one key, from text into its field.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_STORE_H
#define ZYGOTED_SUPERVISOR_CONFIG_STORE_H

#include "supervisor/config.h"
#include "supervisor/config_errors.h"
#include "supervisor/config_keys.h"

/* Where a value goes, and what to call that place in a message. */
struct config_place {
	struct config_errors *errors;
	void *base;	   /* struct config, config_listener or config_pool */
	const char *title; /* of the section; "" at the top */
	unsigned line;	   /* of the value */
};

/*
 * Stores `text`; values of a list come one by one, and are added. 0, or -1 after noting an error.
 * Not for CONFIG_VALUES: see config_store_option.
 */
int config_store(const struct config_place *place, const struct config_key *key, const char *text);

/* Adds a value of the option called `name` to the pool at place->base. 0, or -1 after noting an
 * error. */
int config_store_option(const struct config_place *place, const char *name, const char *text);

/* The number in a field of any of the numeric types, CONFIG_CHOICE and CONFIG_LAYERS. */
uint64_t config_load_number(const struct config_key *key, const void *base);

#endif
