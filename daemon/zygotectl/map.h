/*
 * The answer to `map` as a grid of characters, or as a picture.
 */
#ifndef ZYGOTED_ZYGOTECTL_MAP_H
#define ZYGOTED_ZYGOTECTL_MAP_H

#include <jansson.h>
#include <stdio.h>

/* What stands in a cell; worst first. */
enum map_state { MAP_MANY, MAP_FEW, MAP_NEW, MAP_SHARED, MAP_STATE_MAX };

/* The state of cell `index` of an answer of any shape. */
enum map_state map_cell(const json_t *answer, size_t index);

/* 0, or -1 when out of memory. */
int map_render(const json_t *answer, FILE *out);

/* Writes SVG to `file`, replacing it. 0, or -1 with a line on standard error. */
int map_write_svg(const json_t *answer, const char *file);

#endif
