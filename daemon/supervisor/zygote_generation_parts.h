/*
 * What the source files of zygote_generation share with each other and nobody else.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_GENERATION_PARTS_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_GENERATION_PARTS_H

#include "supervisor/zygote_generation.h"

/* It serves; the one before, if any, drains as long as a front has it. */
void zygote_generation_take_over(struct zygote_generation *generation);

/* Ends one that is not needed any more. */
void zygote_generation_discharge(struct zygote_generation *generation);

/* One that was to take over will not: the fronts forget it first. */
void zygote_generation_give_up_standby(struct zygote_generation *generation, const char *why);

#endif
