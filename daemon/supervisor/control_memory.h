/*
 * The control commands about memory.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_MEMORY_H
#define ZYGOTED_SUPERVISOR_CONTROL_MEMORY_H

#include "supervisor/survey.h"

struct control_request;

void control_memory_run(struct control_request *request); /* memory [POOL] */
void control_maps_run(struct control_request *request);	  /* maps [POOL] */
void control_map_run(struct control_request *request);	  /* map POOL */
void control_routes_run(struct control_request *request); /* routes [POOL] */

/* Between them: surveys of the pools that the request is about, then `done`. */
void control_memory_survey(struct control_request *request, survey_done_fn *done);

#endif
