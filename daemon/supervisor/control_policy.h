/*
 * The `policy` command: what pools in log mode have called outside their profile.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_POLICY_H
#define ZYGOTED_SUPERVISOR_CONTROL_POLICY_H

#include <jansson.h>

struct supervisor;
struct zygote_pool;

/* The whole answer, for one pool or, with NULL, for all. A new reference; NULL: out of memory. */
json_t *control_policy_make(const struct supervisor *supervisor, const struct zygote_pool *only);

#endif
