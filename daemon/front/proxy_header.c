/*
 * Parser of PROXY protocol headers.
 *
 * Runs in: front. Only what trusted peers send comes here, but a proxy can be wrong, and may pass on
 * what a client wrote: the text form is taken exactly as the specification writes it, or not at all.
 */
#include "front/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

/* Section 2.2. */
static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_start[] = "PROXY ";

static enum proxy_result
bad(struct proxy_header *header, const char *reason)
{
	header->reason = reason;
	return PROXY_BAD;
}

static void
set_v4(struct sockaddr_storage *source, const void *address, uint16_t port_be)
{
	struct sockaddr_in *v4 = (void *)source;

	v4->sin_family = AF_INET;
	memcpy(&v4->sin_addr, address, sizeof(v4->sin_addr));
	v4->sin_port = port_be;
}

/* A mapped address is an IPv4 client's: it is counted, and exempted, as that. */
static void
set_v6(struct sockaddr_storage *source, const void *address, uint16_t port_be)
{
	struct sockaddr_in6 *v6 = (void *)source;

	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address)) {
		set_v4(source, (const unsigned char *)address + 12, port_be);
		return;
	}
	v6->sin6_family = AF_INET6;
	memcpy(&v6->sin6_addr, address, sizeof(v6->sin6_addr));
	v6->sin6_port = port_be;
}

/* ---- version 1: a line of text ---- */

/* The next word, NUL-terminated in place; words are apart by one space. NULL: none, or an empty one. */
static char *
next_word(char **rest)
{
	char *word = *rest;
	char *space;

	if (word == NULL || *word == '\0' || *word == ' ')
		return NULL;
	space = strchr(word, ' ');
	*rest = space != NULL ? space + 1 : NULL;
	if (space != NULL)
		*space = '\0';
	return word;
}

/* 0..65535 without leading zeros; -1 otherwise. */
static int
parse_port(const char *word)
{
	int port = 0;

	if (word == NULL || (word[0] == '0' && word[1] != '\0'))
		return -1;
	for (const char *digit = word; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9')
			return -1;
		port = 10 * port + (*digit - '0');
		if (port > 65535)
			return -1;
	}
	return port;
}

static enum proxy_result
parse_addresses(struct proxy_header *header, int family, char *rest)
{
	const char *source = next_word(&rest);
	const char *destination = next_word(&rest);
	const int source_port = parse_port(next_word(&rest));
	const int destination_port = parse_port(next_word(&rest));
	_Alignas(8) unsigned char address[16];
	unsigned char ignored[16];

	if (source == NULL || destination == NULL || rest != NULL)
		return bad(header, "number of words");
	if (inet_pton(family, source, address) != 1 || inet_pton(family, destination, ignored) != 1)
		return bad(header, "address");
	if (source_port < 0 || destination_port < 0)
		return bad(header, "port");
	if (family == AF_INET)
		set_v4(&header->source, address, htons((uint16_t)source_port));
	else
		set_v6(&header->source, address, htons((uint16_t)source_port));
	header->is_known = true;
	return PROXY_DONE;
}

/* `line` without its end. */
static enum proxy_result
parse_line(struct proxy_header *header, char *line)
{
	char *rest = line + sizeof(v1_start) - 1;
	const char *family = next_word(&rest);

	if (family == NULL)
		return bad(header, "family");
	if (strcmp(family, "UNKNOWN") == 0)
		return PROXY_DONE; /* what follows is to be ignored */
	if (strcmp(family, "TCP4") == 0)
		return parse_addresses(header, AF_INET, rest);
	if (strcmp(family, "TCP6") == 0)
		return parse_addresses(header, AF_INET6, rest);
	return bad(header, "family");
}

static enum proxy_result
parse_v1(struct proxy_header *header, const unsigned char *data, size_t length)
{
	const size_t most = length < PROXY_V1_MAX ? length : PROXY_V1_MAX;
	const unsigned char *end = memchr(data, '\r', most);
	char line[PROXY_V1_MAX];
	size_t line_length;

	if (end == NULL)
		return most == PROXY_V1_MAX ? bad(header, "line too long") : PROXY_MORE;
	line_length = (size_t)(end - data);
	if (line_length + 2 > PROXY_V1_MAX)
		return bad(header, "line too long");
	if (memchr(data, '\0', line_length) != NULL || memchr(data, '\n', line_length) != NULL)
		return bad(header, "byte in line");
	if (line_length + 1 == length)
		return PROXY_MORE;
	if (end[1] != '\n')
		return bad(header, "line end");
	memcpy(line, data, line_length);
	line[line_length] = '\0';
	header->bytes = line_length + 2;
	return parse_line(header, line);
}

/* ---- version 2: binary ---- */

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21 };

/* Family and transport, and bytes of addresses. Others are reserved, or datagrams. */
static const struct {
	unsigned char code;
	unsigned char bytes;
} families[] = { { 0x00, 0 }, { 0x11, 12 }, { 0x21, 36 }, { 0x31, 216 } };

static uint16_t
port_at(const unsigned char *data)
{
	uint16_t port;

	memcpy(&port, data, sizeof(port));
	return port;
}

static enum proxy_result
parse_binary(struct proxy_header *header, const unsigned char *data, size_t rest_bytes)
{
	const unsigned char *addresses = data + PROXY_V2_FIXED;
	const unsigned char command = data[12];
	const unsigned char family = data[13];
	_Alignas(8) unsigned char address[16];
	size_t i = 0;

	if (command == V2_LOCAL)
		return PROXY_DONE; /* its own, a health check: the rest is to be ignored */
	if (command != V2_PROXY)
		return bad(header, "version or command");
	while (i < sizeof(families) / sizeof(families[0]) && families[i].code != family)
		i++;
	if (i == sizeof(families) / sizeof(families[0]))
		return bad(header, "family");
	if (rest_bytes < families[i].bytes)
		return bad(header, "addresses too short");
	memcpy(address, addresses, rest_bytes < sizeof(address) ? rest_bytes : sizeof(address));
	if (family == 0x11)
		set_v4(&header->source, address, port_at(addresses + 8));
	else if (family == 0x21)
		set_v6(&header->source, address, port_at(addresses + 32));
	header->is_known = family == 0x11 || family == 0x21;
	return PROXY_DONE;
}

static enum proxy_result
parse_v2(struct proxy_header *header, const unsigned char *data, size_t length)
{
	size_t rest_bytes;

	if (length < PROXY_V2_FIXED)
		return PROXY_MORE;
	rest_bytes = (size_t)data[14] << 8 | data[15];
	if (PROXY_V2_FIXED + rest_bytes > PROXY_V2_MAX)
		return bad(header, "too long");
	header->bytes = PROXY_V2_FIXED + rest_bytes;
	if (length < header->bytes)
		return PROXY_MORE;
	return parse_binary(header, data, rest_bytes);
}

/* ---- both ---- */

static bool
begins_like(const unsigned char *data, size_t length, const void *start, size_t start_bytes)
{
	return memcmp(data, start, length < start_bytes ? length : start_bytes) == 0;
}

enum proxy_result
proxy_header_parse(const unsigned char *data, size_t length, struct proxy_header *header_out)
{
	memset(header_out, 0, sizeof(*header_out));
	if (length == 0)
		return PROXY_MORE;
	if (begins_like(data, length, v1_start, sizeof(v1_start) - 1))
		return parse_v1(header_out, data, length);
	if (begins_like(data, length, signature, sizeof(signature)))
		return parse_v2(header_out, data, length);
	return bad(header_out, "no PROXY header");
}
