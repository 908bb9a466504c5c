/*
 * The form in which keys are compared. Pure.
 */
#ifndef ZYGOTED_TABLE_KEY_H
#define ZYGOTED_TABLE_KEY_H

#include <stddef.h>

#define KEY_BYTES_MAX 1024 /* of a key before and after normalising */

enum key_form {
	KEY_AS_IS,
	KEY_HEX, /* hex digits in upper case; ':' '-' '.' and ' ' are dropped */
	KEY_FORM_MAX
};

/* "none" or "hex"; -1 if unknown. */
int key_form_parse(const char *name);

/*
 * Normalises `length` bytes of `key` in place. NULL and the new length, or a literal that says what
 * is wrong with the key: empty, or not hex.
 */
const char *key_normalise(enum key_form form, char *key, size_t length, size_t *length_out)
	__attribute__((warn_unused_result));

#endif
