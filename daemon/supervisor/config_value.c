/*
 * Single values of the configuration: durations, sizes, counts, networks, names, routes. Pure.
 *
 * Runs in: supervisor, before anything else runs. The text is the operator's. A number that does
 * not fit is refused here, so that nobody after this has to think of overflow.
 */
#include "supervisor/config_value.h"

#include "supervisor/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

struct unit {
	const char *name;
	uint64_t factor;
};

/* From large to small, for formatting: the first one that divides wins. */
static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

static const struct unit size_units[] = {
	{ "T", UINT64_C(1) << 40 },
	{ "G", UINT64_C(1) << 30 },
	{ "M", UINT64_C(1) << 20 },
	{ "K", UINT64_C(1) << 10 },
	{ "", 1 },
};

#define UNITS(table) (sizeof(table) / sizeof((table)[0]))

/* Leading digits. Returns what follows them, NULL when there are none or too many. */
static const char *
parse_digits(const char *text, uint64_t *number_out)
{
	const char *at = text;
	uint64_t number = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
			return NULL;
	*number_out = number;
	return at == text ? NULL : at;
}

static int
parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *number_out)
{
	uint64_t number;
	const char *unit = parse_digits(text, &number);

	for (size_t i = 0; unit && i < count; i++)
		if (strcmp(unit, units[i].name) == 0)
			return __builtin_mul_overflow(number, units[i].factor, number_out) ? -1 : 0;
	return -1;
}

static char *
format_with_unit(uint64_t number, const struct unit *units, size_t count, char *out, size_t size)
{
	size_t i = 0;

	while (i < count - 1 && number % units[i].factor != 0)
		i++;
	if (number == 0)
		i = units[count - 1].name[0] == '\0' ? count - 1 : count - 2; /* "0", "0s" */
	snprintf(out, size, "%llu%s", (unsigned long long)(number / units[i].factor),
		 units[i].name);
	return out;
}

int
config_parse_duration_ms(const char *text, uint64_t *ms_out)
{
	return parse_with_unit(text, time_units, UNITS(time_units), ms_out);
}

int
config_parse_size(const char *text, uint64_t *bytes_out)
{
	return parse_with_unit(text, size_units, UNITS(size_units), bytes_out);
}

int
config_parse_count(const char *text, uint64_t *count_out)
{
	const char *end = parse_digits(text, count_out);

	return end && *end == '\0' ? 0 : -1;
}

char *
config_format_duration_ms(uint64_t ms, char *out, size_t size)
{
	return format_with_unit(ms, time_units, UNITS(time_units), out, size);
}

char *
config_format_size(uint64_t bytes, char *out, size_t size)
{
	return format_with_unit(bytes, size_units, UNITS(size_units), out, size);
}

/* Takes the address apart: IPv4 is mapped, so that both kinds are compared alike. How many bits it
 * starts at, -1 when it is none. */
static int
parse_host(const char *host, uint8_t address_out[16])
{
	if (inet_pton(AF_INET6, host, address_out) == 1)
		return 0;
	memset(address_out, 0, 10);
	memset(address_out + 10, 0xff, 2);
	return inet_pton(AF_INET, host, address_out + 12) == 1 ? 96 : -1;
}

int
config_parse_network(const char *text, struct heritage_network *network_out)
{
	const size_t length = strcspn(text, "/");
	char host[INET6_ADDRSTRLEN];
	uint64_t bits;
	int start;

	memset(network_out, 0, sizeof(*network_out));
	if (length >= sizeof(host))
		return -1;
	memcpy(host, text, length);
	host[length] = '\0';
	start = parse_host(host, network_out->address);
	if (start < 0)
		return -1;
	bits = 128 - (unsigned)start;
	if (text[length] == '/' &&
	    (config_parse_count(text + length + 1, &bits) < 0 || bits > 128 - (unsigned)start))
		return -1;
	network_out->bits = (uint32_t)bits + (uint32_t)start;
	for (uint32_t i = network_out->bits; i < 128; i++)
		if (network_out->address[i / 8] & 0x80 >> i % 8)
			return -1;
	return 0;
}

char *
config_format_network(const struct heritage_network *network, char *out, size_t size)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const int is_v4 =
		network->bits >= 96 && memcmp(network->address, mapped, sizeof(mapped)) == 0;
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(is_v4 ? AF_INET : AF_INET6, network->address + (is_v4 ? sizeof(mapped) : 0), host,
		  sizeof(host));
	snprintf(out, size, "%s/%u", host, network->bits - (is_v4 ? 96 : 0));
	return out;
}

int
config_is_name(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length < PROTO_NAME_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "_-") == length;
}

const char *
config_check_route(const char *route)
{
	const char *path = route[0] == '=' ? route + 1 : route;

	if (path[0] != '/')
		return "must start with \"/\" or \"=/\"";
	if (strlen(route) >= PROTO_ROUTE_MAX)
		return "is longer than 127 bytes";
	for (; *path; path++)
		if (*path <= ' ' || *path > '~' || *path == '?' || *path == '#')
			return "has a space, control byte, non-ASCII byte, \"?\" or \"#\": routes "
			       "are matched with the path as it comes, percent-encoded";
	return NULL;
}

/*
 * Such a path names a place in a child's own tree: no "." or "..", no "//", no "/" at its end. The
 * root as a whole would make the rest of the list meaningless, and /proc tells of other processes.
 */
const char *
config_check_read_path(const char *path)
{
	if (path[0] != '/')
		return "must be absolute: begin it with \"/\"";
	if (path[1] == '\0')
		return "is everything: name what is needed below it";
	if (strcmp(path, "/proc") == 0 || strncmp(path, "/proc/", 6) == 0)
		return "shows other processes: copy what is needed from there when loading";
	for (const char *at = path; *at; at += strcspn(at, "/")) {
		size_t length = strcspn(++at, "/");

		if (length == 0)
			return "has a \"/\" too many";
		if (at[0] == '.' && (length == 1 || (length == 2 && at[1] == '.')))
			return "has \".\" or \"..\" in it: write the path without";
	}
	return NULL;
}
