/*
 * How a child ended, as it is counted. Pure.
 */
#ifndef ZYGOTED_FRONT_CHILD_END_H
#define ZYGOTED_FRONT_CHILD_END_H

#include "base/proto.h"
#include "front/generation.h"

/* `served`: it had a request. */
enum child_end child_end_of(const struct child_exit *ended, bool served);

#endif
