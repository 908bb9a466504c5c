/*
 * Fresh random bytes for each request.
 */
#ifndef ZYGOTED_FRONT_SEED_H
#define ZYGOTED_FRONT_SEED_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `out`; no byte is handed out twice. False when the kernel gives none: the request is
 * refused. */
bool seed_take(void *out, size_t size) __attribute__((warn_unused_result));

#endif
