/*
 * The header of a CGI response: RFC 3875, 6.2 and 6.3.
 *
 * Runs in: child. Pure. The bytes are the program's, and so an attacker's when it was taken over: what is not as it has to be refuses the
 * answer whole. Bytes of names and values are checked once more by zy_header_add, by which all that is passed on goes.
 */
#include "header.h"

#include <string.h>
#include <strings.h>

/* ---- where it ends ---- */

size_t
header_find_end(const char *bytes, size_t size, size_t *seen)
{
	const char *newline;

	/* `*seen` is the beginning of a line. */
	while ((newline = memchr(bytes + *seen, '\n', size - *seen)) != NULL) {
		const size_t end = (size_t)(newline - bytes);
		const bool is_empty = end == *seen || (end == *seen + 1 && bytes[*seen] == '\r');
		*seen = end + 1;
		if (is_empty)
			return *seen;
	}
	return 0;
}

/* ---- fields that mean something here ---- */

/* Each may be there once: `bit` in the set of those that were. */
enum known {
	KNOWN_STATUS = 1,
	KNOWN_LENGTH = 2,
	KNOWN_TYPE = 4,
	KNOWN_LOCATION = 8,
	KNOWN_ONE_OF = KNOWN_STATUS | KNOWN_TYPE | KNOWN_LOCATION
};

static enum known
known_of(const char *name)
{
	static const struct {
		const char *name;
		enum known known;
	} names[] = {
		{ "status", KNOWN_STATUS },
		{ "content-length", KNOWN_LENGTH },
		{ "content-type", KNOWN_TYPE },
		{ "location", KNOWN_LOCATION },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i].name) == 0)
			return names[i].known;
	return 0;
}

/* They concern the connection to the client, which is the front's (RFC 3875, 6.3.4), or are its own to write. */
static bool
is_servers(const char *name)
{
	static const char *const names[] = { "connection", "keep-alive",   "te",
					     "trailer",	   "upgrade",	   "transfer-encoding",
					     "date",	   "x-request-id", "x-zygoted-reason" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return strncasecmp(name, "proxy-", 6) == 0;
}

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* "404", "404 Not Found": the front has texts of its own. */
static int
parse_status(const char *value)
{
	if (!is_digit(value[0]) || !is_digit(value[1]) || !is_digit(value[2]) ||
	    (value[3] != '\0' && value[3] != ' '))
		return -1;
	const int status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
	return status >= 200 && status <= 599 ? status : -1;
}

static bool
parse_length(const char *value, uint64_t *out)
{
	*out = 0;
	for (; is_digit(*value); value++) {
		if (*out > UINT64_MAX / 100)
			return false;
		*out = *out * 10 + (uint64_t)(*value - '0');
		if (value[1] == '\0')
			return true;
	}
	return false;
}

static const char *
take_known(enum known known, const char *value, struct header *out)
{
	if (known == KNOWN_STATUS && (out->status = parse_status(value)) < 0)
		return "its Status is none of 200 to 599";
	if (known == KNOWN_LENGTH) {
		out->has_length = true;
		if (!parse_length(value, &out->length))
			return "its Content-Length is no number";
	}
	return NULL;
}

/* ---- lines ---- */

static char *
trim(char *value)
{
	value += strspn(value, " \t");
	for (size_t length = strlen(value);
	     length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'); length--)
		value[length - 1] = '\0';
	return value;
}

static const char *
take_line(char *line, struct header *out, unsigned *seen)
{
	char *colon = strchr(line, ':');

	if (colon == NULL || colon == line)
		return "a line of its header is no \"name: value\"";
	*colon = '\0';
	if (strpbrk(line, " \t") != NULL)
		return "a name in its header has a space";
	const char *value = trim(colon + 1);
	const enum known known = known_of(line);
	if ((*seen & known) != 0)
		return "its header has one of Status, Content-Type, Content-Length and Location "
		       "twice";
	*seen |= known;
	const char *wrong = take_known(known, value, out);
	if (wrong != NULL || known == KNOWN_STATUS || known == KNOWN_LENGTH || is_servers(line))
		return wrong;
	if (out->count == HEADER_FIELDS_MAX)
		return "its header has too many fields";
	out->fields[out->count++] = (struct header_field){ line, value };
	return NULL;
}

const char *
header_parse(char *bytes, size_t size, struct header *out)
{
	unsigned seen = 0;
	char *end;

	memset(out, 0, sizeof(*out));
	if (memchr(bytes, '\0', size) != NULL)
		return "its header has a byte 0";
	for (char *line = bytes; (end = memchr(line, '\n', size - (size_t)(line - bytes))) != NULL;
	     line = end + 1) {
		*end = '\0';
		if (end > line && end[-1] == '\r')
			end[-1] = '\0';
		if (line[0] == '\0')
			break;
		const char *wrong = take_line(line, out, &seen);
		if (wrong != NULL)
			return wrong;
	}
	if ((seen & KNOWN_ONE_OF) == 0)
		return "its header has none of Content-Type, Location and Status";
	if ((seen & KNOWN_STATUS) == 0)
		out->status = (seen & KNOWN_LOCATION) != 0 ? 302 : 200;
	return NULL;
}
