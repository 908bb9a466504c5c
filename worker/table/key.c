/*
 * Normalising keys, so that 00:22:72, 00-22-72 and 002272 are one.
 *
 * Runs in: the zygote at load for the keys of the table, and children for the keys of requests.
 * Trusts nobody. Both sides must go through the same function, or rows are lost.
 */
#include "key.h"

#include <string.h>

static const char *const form_names[] = {
	[KEY_AS_IS] = "none",
	[KEY_HEX] = "hex",
};
_Static_assert(sizeof(form_names) / sizeof(form_names[0]) == KEY_FORM_MAX, "a name for each form");

int
key_form_parse(const char *name)
{
	for (int form = 0; form < KEY_FORM_MAX; form++)
		if (strcmp(name, form_names[form]) == 0)
			return form;
	return -1;
}

static int
key_is_separator(char c)
{
	return c == ':' || c == '-' || c == '.' || c == ' ';
}

/* The digit in upper case, 0 for anything else. Not isxdigit(): no locale has a say here. */
static char
key_hex_digit(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'))
		return c;
	if (c >= 'a' && c <= 'f')
		return (char)(c - 'a' + 'A');
	return 0;
}

static const char *
key_normalise_hex(char *key, size_t length, size_t *length_out)
{
	size_t kept = 0;

	for (size_t i = 0; i < length; i++) {
		if (key_is_separator(key[i]))
			continue;
		key[kept] = key_hex_digit(key[i]);
		if (key[kept++] == 0)
			return "key has other than hex digits";
	}
	*length_out = kept;
	return kept > 0 ? NULL : "empty key";
}

const char *
key_normalise(enum key_form form, char *key, size_t length, size_t *length_out)
{
	if (length == 0)
		return "empty key";
	if (form == KEY_HEX)
		return key_normalise_hex(key, length, length_out);
	*length_out = length;
	return NULL;
}
