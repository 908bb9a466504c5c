/*
 * Figures of a generation's image as JSON. Pure but for allocation.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_IMAGE_H
#define ZYGOTED_SUPERVISOR_CONTROL_IMAGE_H

#include <jansson.h>

struct supervisor;
struct zygote_generation;

/* Adds to a pool's object; a generation that is not loaded, or NULL, has an image of no bytes and no kind. */
void control_image_add(json_t *object, const struct zygote_generation *generation);

/* A new list with an object for each pool that serves. */
json_t *control_image_list(const struct supervisor *supervisor);

#endif
