/*
 * What the front gives up before it reads the first byte from the network.
 */
#ifndef ZYGOTED_FRONT_LOCKDOWN_H
#define ZYGOTED_FRONT_LOCKDOWN_H

#include "base/heritage.h"

/* Applies all of it. Dies when a step fails; only Landlock may be missing, with a log line. */
void lockdown_apply(const struct heritage_front *heritage);

#endif
