/*
 * Sources of requests and their penalties: where the pure table meets time, log and configuration.
 *
 * Runs in: front. The address comes from the kernel, or from a proxy that the configuration trusts,
 * never from a header that a client wrote: who has another proxy before the daemon exempts it.
 */
#include "front/source.h"

#include "base/log.h"
#include "front/front.h"
#include "front/seed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
source_open(struct front *front)
{
	front->penalties = calloc(1, sizeof(*front->penalties));
	if (front->penalties == NULL)
		die("out of memory");
	if (!seed_take(front->penalties->key, sizeof(front->penalties->key)))
		die("no random numbers: %s", strerror(errno));
	front->penalties->threshold = front->heritage->penalty;
}

/* IPv4 as ::ffff:a.b.c.d. */
static void
take_address(const struct sockaddr_storage *peer, uint8_t address_out[16])
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;

	if (peer->ss_family == AF_INET6) {
		memcpy(address_out, &v6->sin6_addr, 16);
		return;
	}
	memset(address_out, 0, 10);
	memset(address_out + 10, 0xff, 2);
	memcpy(address_out + 12, &v4->sin_addr, 4);
}

static bool
is_in(const uint8_t address[16], const struct heritage_network *network)
{
	const unsigned bytes = network->bits / 8;
	const unsigned rest = network->bits % 8;

	if (memcmp(address, network->address, bytes) != 0)
		return false;
	return rest == 0 || (address[bytes] ^ network->address[bytes]) >> (8 - rest) == 0;
}

static bool
is_among(const uint8_t address[16], const struct heritage_networks *networks)
{
	for (uint32_t i = 0; i < networks->count; i++)
		if (is_in(address, &networks->list[i]))
			return true;
	return false;
}

bool
source_is_among(const struct sockaddr_storage *peer, const struct heritage_networks *networks)
{
	uint8_t address[16];

	if (peer->ss_family != AF_INET && peer->ss_family != AF_INET6)
		return false;
	take_address(peer, address);
	return is_among(address, networks);
}

struct penalty_source
source_of(const struct front *front, const struct sockaddr_storage *peer)
{
	struct penalty_source source;
	uint8_t address[16];

	/* Without addresses there is nobody to tell from the others: a proxy's clients, for example. */
	if (peer->ss_family == AF_UNIX)
		return (struct penalty_source){ .exempt = true };
	take_address(peer, address);
	source = penalty_source_make(address);
	source.exempt = is_among(address, &front->heritage->exempt);
	return source;
}

static void
put_address(uint64_t high, uint64_t low, uint8_t address_out[16])
{
	for (int i = 0; i < 8; i++) {
		address_out[i] = (uint8_t)(high >> (56 - 8 * i));
		address_out[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
}

static const char *
format(const struct penalty_source *source, char *out, size_t size)
{
	uint8_t address[16];

	put_address(source->high, source->low, address);
	if (source->low != 0)
		inet_ntop(AF_INET, address + 12, out, (socklen_t)size);
	else if (inet_ntop(AF_INET6, address, out, (socklen_t)size) != NULL)
		snprintf(out + strlen(out), size - strlen(out), "/64");
	return out;
}

void
source_charge(struct front *front, const struct penalty_source *source, unsigned points)
{
	char text[INET6_ADDRSTRLEN + 4] = "";
	uint32_t ms;

	if (points == 0)
		return;
	ms = penalty_add(front->penalties, source, points, front_now_ns());
	if (ms > 0)
		log_event(LOG_WARNING, "source under penalty", "source=%s for_ms=%u",
			  format(source, text, sizeof(text)), ms);
}

unsigned
source_refused(struct front *front, const struct penalty_source *source)
{
	if (front->penalties->begun == 0)
		return 0; /* saves the time of day */
	return penalty_check(front->penalties, source, front_now_ns());
}

void
source_describe(const struct penalty_entry *entry, uint64_t now_ns, struct msg_penalty *penalty_out)
{
	const uint64_t until = entry->until_ns;

	*penalty_out = (struct msg_penalty){
		.points = (uint32_t)(entry->milli / 1000),
		.relapses = entry->relapses,
		.left_ms = until > now_ns ? (until - now_ns) / 1000000 + 1 : 0,
		.refused = entry->refused,
	};
	put_address(entry->high, entry->low, penalty_out->address);
}
