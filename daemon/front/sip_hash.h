/*
 * A keyed hash, for tables whose keys peers choose. Pure.
 */
#ifndef ZYGOTED_FRONT_SIP_HASH_H
#define ZYGOTED_FRONT_SIP_HASH_H

#include <stdint.h>

/* With a random key nobody can choose pairs that share a bucket. */
uint64_t sip_hash_pair(const uint64_t key[2], uint64_t high, uint64_t low);

#endif
