/*
 * Media ranges and their quality.
 *
 * Runs in: front. The value is the scraper's: HTTP_TEXT bytes, at most a line of them. Wildcards are
 * left out: who names nothing gets plain text.
 */
#include "front/http_accept.h"

#include "front/http_token.h"

#include <string.h>

struct part {
	const char *text;
	size_t length;
};

/* The next one up to `separator`, without blanks at its ends. False when nothing is left. */
static bool
next_part(struct part *rest, char separator, struct part *out)
{
	const char *end;

	if (rest->text == NULL)
		return false;
	end = memchr(rest->text, separator, rest->length);
	out->length = end != NULL ? (size_t)(end - rest->text) : rest->length;
	const struct http_span span =
		http_trim(rest->text, (struct http_span){ 0, (uint32_t)out->length });
	out->text = rest->text + span.offset;
	rest->length -= out->length + (end != NULL);
	rest->text = end != NULL ? end + 1 : NULL;
	out->length = span.length;
	return true;
}

/* "1", "0.5", "1.000" in thousandths; 0 when malformed: RFC 9110 section 12.4.2. */
static unsigned
parse_quality(const char *text, size_t length)
{
	static const unsigned weights[] = { 1000, 0, 100, 10, 1 };
	unsigned quality = 0;

	if (length == 0 || length > 5 || (length > 1 && text[1] != '.'))
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (i == 1)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return 0;
		quality += (unsigned)(text[i] - '0') * weights[i];
	}
	return quality <= 1000 ? quality : 0;
}

static bool
starts_with(const struct part *part, const char *name)
{
	const size_t length = strlen(name);

	return part->length >= length && http_equals(part->text, length, name);
}

/* Parameters of a media range: its quality, and whether we have its version. */
static unsigned
judge(struct part parameters, const char *version)
{
	const size_t version_length = strlen(version);
	unsigned quality = 1000;
	struct part one;

	while (next_part(&parameters, ';', &one)) {
		if (starts_with(&one, "q="))
			quality = parse_quality(one.text + 2, one.length - 2);
		else if (starts_with(&one, "version=") &&
			 !http_same(one.text + 8, one.length - 8, version, version_length))
			return 0;
	}
	return quality;
}

void
http_accept_add(struct http_accept *accept, const char *value, size_t length)
{
	struct part rest = { value, length };
	struct part range;
	struct part type;

	while (next_part(&rest, ',', &range)) {
		unsigned *wish = NULL;
		const char *version = "";
		if (!next_part(&range, ';', &type))
			continue;
		if (http_equals(type.text, type.length, "application/openmetrics-text")) {
			wish = &accept->openmetrics;
			version = "1.0.0";
		} else if (http_equals(type.text, type.length, "text/plain")) {
			wish = &accept->text;
			version = "0.0.4";
		}
		const unsigned quality = wish != NULL ? judge(range, version) : 0;
		if (wish != NULL && quality > *wish)
			*wish = quality;
	}
}
