/*
 * Penalties for sources whose requests do harm: an IPv4 address, or an IPv6 network of 64 bits.
 * Guilt is counted in points that fade; a source with too many is refused for a time that doubles
 * with each relapse. Pure: time and key are given; nothing is allocated.
 */
#ifndef ZYGOTED_FRONT_PENALTY_H
#define ZYGOTED_FRONT_PENALTY_H

#include "base/proto.h"

#include <stdbool.h>
#include <stdint.h>

#define PENALTY_SETS	   1024
#define PENALTY_WAYS	   4
#define PENALTY_ENTRIES	   (PENALTY_SETS * PENALTY_WAYS)
#define PENALTY_FADE_MS	   60000 /* in which as many points fade as the threshold has */
#define PENALTY_FIRST_MS   1000	 /* the first refusal */
#define PENALTY_LONGEST_MS 600000
#define PENALTY_FORGET_MS  600000 /* of good behaviour, for each relapse to be forgotten */

/* Who asks: the address with the host's part of IPv6 left out; IPv4 as ::ffff:a.b.c.d. */
struct penalty_source {
	uint64_t high;
	uint64_t low;
	bool exempt;
};

struct penalty_entry {
	uint64_t high;
	uint64_t low;
	uint64_t faded_ns; /* up to when points have faded; while it is refused: the end of that */
	uint64_t until_ns; /* refused until then; 0: never was */
	uint64_t milli;	   /* thousandths of points; an entry without points or relapses is free */
	uint64_t refused;  /* requests */
	uint32_t relapses; /* refusals that are not forgotten */
	uint32_t padding;
};

struct penalty_table {
	uint32_t threshold; /* points; 0: nobody is penalised */
	uint32_t padding;
	uint64_t key[2]; /* random: nobody can choose sources that share a set */
	uint64_t begun;	 /* refusals begun since the start */
	struct penalty_entry entries[PENALTY_SETS][PENALTY_WAYS];
};

/* `address`: 16 bytes, IPv4 mapped. */
struct penalty_source penalty_source_make(const uint8_t address[16]);

/* Points for an ended request by its outcome, and for a child that ended by its exit. */
unsigned penalty_outcome_points(enum outcome outcome);
unsigned penalty_exit_points(bool by_signal, int code);

/* Adds points. How long, in ms, the source is refused from now on; 0 when it is not or was already. */
uint32_t penalty_add(struct penalty_table *table, const struct penalty_source *source,
		     unsigned points, uint64_t now_ns);

/* Whether the source's requests are refused now: then the seconds that are left (at least 1), and
 * the request is counted; else 0. */
unsigned penalty_check(struct penalty_table *table, const struct penalty_source *source,
		       uint64_t now_ns);

/* Sources that are refused now. */
unsigned penalty_count(const struct penalty_table *table, uint64_t now_ns);

/*
 * The most guilty ones first, at most `most`, with the points that are left now. Returns how many.
 */
unsigned penalty_list(const struct penalty_table *table, uint64_t now_ns,
		      struct penalty_entry *list_out, unsigned most);

#endif
