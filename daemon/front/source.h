/*
 * Who is at the other end of a connection, and what follows from what he did: penalties, with the
 * front's clock, log and configuration.
 */
#ifndef ZYGOTED_FRONT_SOURCE_H
#define ZYGOTED_FRONT_SOURCE_H

#include "base/heritage.h"
#include "front/penalty.h"

#include <sys/socket.h>

struct front;

/* Makes front->penalties; dies when out of memory: start-up only. */
void source_open(struct front *front);

/* Of a client's address; exempt when the configuration says so. */
struct penalty_source source_of(const struct front *front, const struct sockaddr_storage *peer);

/* Whether the address is one of theirs. */
bool source_is_among(const struct sockaddr_storage *peer, const struct heritage_networks *networks);

/* Adds points, and logs it when the source comes under penalty. */
void source_charge(struct front *front, const struct penalty_source *source, unsigned points);

/* Seconds for which the source is refused; 0: it is not. Counts the request that it is asked for. */
unsigned source_refused(struct front *front, const struct penalty_source *source);

/* One more entry of the list, as it is told to the supervisor. */
void source_describe(const struct penalty_entry *entry, uint64_t now_ns,
		     struct msg_penalty *penalty_out);

#endif
