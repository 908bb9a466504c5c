/*
 * Which status a frame's reply has. Pure.
 */
#ifndef ZYGOTED_FRONT_FRAME_REPLY_H
#define ZYGOTED_FRONT_FRAME_REPLY_H

#include "base/frame_wire.h"
#include "base/proto.h"

/* Of a request that ended so, without a worker's answer. */
enum frame_status frame_reply_of_outcome(enum outcome outcome);

/* Of a worker's answer with that status of HTTP, 200..599. */
enum frame_status frame_reply_of_status(unsigned status);

#endif
