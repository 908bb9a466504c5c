/*
 * Judges listeners.
 *
 * Runs in: supervisor, before anything else runs. Every message says what to do. What is in the files of
 * certificates is for tls_files.c to judge.
 */
#include "supervisor/config_check_listener.h"

#include "base/address.h"

#include <stdbool.h>
#include <string.h>

int
config_has_client_listener(const struct config *config)
{
	for (uint32_t i = 0; i < config->listeners_count; i++)
		if (config->listeners[i].front.protocol != PROTOCOL_METRICS)
			return 1;
	return 0;
}

/* ---- defaults ---- */

static const struct config_pool *
find_pool(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->pools_count; i++)
		if (strcmp(config->pools[i].front.name, name) == 0)
			return &config->pools[i];
	return NULL;
}

static bool
has_frame_route(const struct heritage_pool *pool)
{
	for (uint32_t i = 0; i < pool->routes_count; i++)
		if (strcmp(pool->routes[i], HERITAGE_FRAME_ROUTE) == 0)
			return true;
	return false;
}

static void
add_frame_route(struct config *config, const struct config_listener *listener,
		struct config_errors *errors)
{
	const struct config_pool *found = find_pool(config, listener->front.pool);
	struct config_pool *pool = found != NULL ? &config->pools[found - config->pools] : NULL;

	if (pool == NULL || has_frame_route(&pool->front))
		return;
	if (pool->front.routes_count == PROTO_ROUTES_MAX) {
		config_error(
			errors, pool->line,
			"pool \"%s\": frames count as one of at most %d routes: remove another",
			pool->front.name, PROTO_ROUTES_MAX);
		return;
	}
	memcpy(pool->front.routes[pool->front.routes_count++], HERITAGE_FRAME_ROUTE,
	       sizeof(HERITAGE_FRAME_ROUTE));
}

void
config_complete_listener(struct config *config, struct config_listener *listener,
			 struct config_errors *errors)
{
	listener->front.tls = listener->certificates.count;
	if (listener->front.protocol == PROTOCOL_FRAME)
		add_frame_route(config, listener, errors);
}

/* ---- checks ---- */

/* Peers at a Unix socket have no address; who may connect is a matter of its file. */
static void
check_socket(const struct config_listener *listener, int is_unix, struct config_errors *errors)
{
	if (is_unix && listener->front.proxies.count > 0)
		config_error(errors, listener->line,
			     "listen \"%s\": who connects to a Unix socket has no address: write "
			     "proxy = {\"unix:\"}, and set access and group",
			     listener->front.name);
	if (!is_unix && listener->front.proxies.local)
		config_error(
			errors, listener->line,
			"listen \"%s\": proxy \"unix:\" is for Unix sockets: name addresses or "
			"networks",
			listener->front.name);
	if (!is_unix && listener->group[0] != '\0')
		config_error(errors, listener->line,
			     "listen \"%s\": group is for Unix sockets: remove it",
			     listener->front.name);
}

static void
check_address(const struct config *config, uint32_t index, struct config_errors *errors)
{
	const struct config_listener *listener = &config->listeners[index];
	struct sockaddr_storage address;
	struct sockaddr_storage other;
	socklen_t length;

	if (!listener->front.address[0])
		return;
	if (address_parse(listener->front.address, &address, &length) < 0) {
		config_error(
			errors, listener->line,
			"listen \"%s\": address \"%s\" is not numeric HOST:PORT: write it like "
			"\"127.0.0.1:8080\" or \"[::1]:8080\"; a Unix socket is \"unix:/PATH\", "
			"with at most 107 bytes of path",
			listener->front.name, listener->front.address);
		return;
	}
	check_socket(listener, address.ss_family == AF_UNIX, errors);
	for (uint32_t i = 0; i < index; i++)
		if (address_parse(config->listeners[i].front.address, &other, &length) == 0 &&
		    memcmp(&address, &other, sizeof(address)) == 0)
			config_error(errors, listener->line,
				     "listen \"%s\": address \"%s\" is that of listen \"%s\" on "
				     "line %u: choose another",
				     listener->front.name, listener->front.address,
				     config->listeners[i].front.name, config->listeners[i].line);
}

static void
check_tls(const struct config_listener *listener, struct config_errors *errors)
{
	const char *name = listener->front.name;
	const bool verifies = listener->front.client_verify != CLIENT_VERIFY_NONE;

	if (listener->certificates.count != listener->keys.count)
		config_error(errors, listener->line,
			     "listen \"%s\": certificate names %u files and key %u: each "
			     "certificate needs its key, in the same order",
			     name, listener->certificates.count, listener->keys.count);
	if (listener->staples.count > listener->certificates.count)
		config_error(errors, listener->line,
			     "listen \"%s\": ocsp names more files than certificate: remove those "
			     "without a certificate",
			     name);
	if (listener->certificates.count == 0 && (listener->client_ca[0] || verifies))
		config_error(errors, listener->line,
			     "listen \"%s\": certificates of clients without one of its own: add "
			     "certificate and key",
			     name);
	else if (listener->client_ca[0] && !verifies)
		config_error(
			errors, listener->line,
			"listen \"%s\": client_ca has no effect without client_verify: set it to "
			"\"optional\" or \"required\"",
			name);
	else if (!listener->client_ca[0] && verifies)
		config_error(errors, listener->line,
			     "listen \"%s\": client_verify without client_ca: name the file of the "
			     "authorities",
			     name);
}

static void
check_frames(const struct config *config, const struct config_listener *listener,
	     struct config_errors *errors)
{
	const bool is_frame = listener->front.protocol == PROTOCOL_FRAME;
	const char *pool = listener->front.pool;

	if (is_frame && pool[0] == '\0')
		config_error(
			errors, listener->line,
			"listen \"%s\": frames have no path: name the pool that gets them, pool = "
			"\"NAME\"",
			listener->front.name);
	else if (is_frame && find_pool(config, pool) == NULL)
		config_error(errors, listener->line, "listen \"%s\": there is no pool \"%s\"",
			     listener->front.name, pool);
	else if (!is_frame && pool[0] != '\0')
		config_error(errors, listener->line,
			     "listen \"%s\": pool is for protocol = \"frame\"; here routes decide: "
			     "remove it",
			     listener->front.name);
}

/* An answer that can never be gathered would be refused as if it could later. */
static void
check_gather(const struct config *config, const struct config_listener *listener,
	     struct config_errors *errors)
{
	const bool is_unix =
		strncmp(listener->front.address, ADDRESS_UNIX, strlen(ADDRESS_UNIX)) == 0;

	if (!is_unix && listener->front.protocol != PROTOCOL_FRAME)
		return;
	if (listener->front.gather_bytes > config->limits.gather_bytes / config->fronts)
		config_error(errors, listener->line,
			     "listen \"%s\": gather is more than a front's share of gather_memory: "
			     "lower it, or raise gather_memory",
			     listener->front.name);
}

void
config_check_listener(const struct config *config, uint32_t index, struct config_errors *errors)
{
	const struct config_listener *listener = &config->listeners[index];

	check_address(config, index, errors);
	check_tls(listener, errors);
	check_frames(config, listener, errors);
	check_gather(config, listener, errors);
}
