/*
 * Which headers an answer may carry: the rules by which the front checks replies.
 *
 * Runs in: child. Pure. The front refuses the same and more; whoever changes one changes the other.
 */
#include "runtime.h"

#include <stdint.h>

#define NAME_MAX_BYTES	64
#define VALUE_MAX_BYTES 8192

static bool
is_token_byte(unsigned char byte)
{
	if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9'))
		return true;
	for (const char *mark = "!#$%&'*+-.^_`|~"; *mark != '\0'; mark++) /* RFC 9110, 5.6.2 */
		if (byte == (unsigned char)*mark)
			return true;
	return false;
}

static bool
is_token(const char *name)
{
	size_t length = 0;

	for (; name[length] != '\0'; length++)
		if (!is_token_byte((unsigned char)name[length]) || length == NAME_MAX_BYTES)
			return false;
	return length > 0;
}

static bool
is_text(const char *value)
{
	size_t length = 0;

	for (; value[length] != '\0'; length++) {
		unsigned char byte = (unsigned char)value[length];
		if ((byte < 0x20 && byte != '\t') || byte == 0x7f || length == VALUE_MAX_BYTES)
			return false;
	}
	return true;
}

/*
 * Up to `limit` bytes, upper case in `name` counting as lower. The C library's own would have every child fault in its
 * tables of the locale.
 */
static bool
equals(const char *name, const char *lower, size_t limit)
{
	for (size_t i = 0; i < limit; i++) {
		char byte =
			name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
		if (byte != lower[i])
			return false;
		if (byte == '\0')
			break;
	}
	return true;
}

/* They belong to the front's connection to the client, or follow from the frames; Date is the
 * front's too. */
static bool
is_reserved(const char *name)
{
	static const char *const reserved[] = {
		"connection",	     "keep-alive",     "te",   "trailer",	  "upgrade",
		"transfer-encoding", "content-length", "date", "x-zygoted-reason"
	};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (equals(name, reserved[i], SIZE_MAX))
			return true;
	return equals(name, "proxy-", 6);
}

const char *
reply_header_error(const char *name, const char *value)
{
	if (name == NULL || !is_token(name))
		return "name";
	if (is_reserved(name))
		return "reserved";
	if (value == NULL || !is_text(value))
		return "value";
	return NULL;
}
