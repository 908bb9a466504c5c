/*
 * Single values of the configuration: text to numbers, addresses and names, and back. Pure. The
 * parsers of durations and sizes are in config.h.
 *
 * Parsers take the whole text or nothing: no white space, no sign, no fraction.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_VALUE_H
#define ZYGOTED_SUPERVISOR_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

struct heritage_network;

#define CONFIG_NUMBER_MAX                                                                          \
	32 /* bytes that a formatted number with its unit needs at most, with the NUL */

/* Decimal digits alone. 0, or -1 when there are others or the number does not fit. */
int config_parse_count(const char *text, uint64_t *count_out);

/* The shortest text that the parser reads back as the same number. Both return `out`. */
char *config_format_duration_ms(uint64_t ms, char *out, size_t size);
char *config_format_size(uint64_t bytes, char *out, size_t size);

/*
 * "192.0.2.1", "10.0.0.0/8", "::1" or "2001:db8::/32"; bits beyond the prefix must be zero. 0, or
 * -1 when malformed.
 */
int config_parse_network(const char *text, struct heritage_network *network_out);
char *config_format_network(const struct heritage_network *network, char *out, size_t size);

#define CONFIG_NETWORK_MAX 64 /* bytes that a formatted network needs at most */

/* 1..31 characters of a-z 0-9 _ -, the rule for names of pools, listeners, workers and options. */
int config_is_name(const char *text);

/* What is wrong with a route, or with a path of read_paths, as the end of a sentence; NULL for a
 * good one. */
const char *config_check_route(const char *route);
const char *config_check_read_path(const char *path);

#endif
