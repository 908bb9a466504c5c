/*
 * The hostile worker: what code in the hands of an attacker would try from inside a child. One
 * deed per request; a deed tells what it got through the answer, or dies of trying.
 */
#ifndef ZYGOTED_TESTS_HOSTILE_H
#define ZYGOTED_TESTS_HOSTILE_H

#include "worker.h"

#include <stddef.h>
#include <stdint.h>

#define HOSTILE_CHANNEL_FD 3

/*
 * A deed: what follows its name in the path comes as `argument`, percent-encoded as received. The
 * result is handle()'s.
 */
typedef int hostile_deed(struct zy_request *request, const char *argument);

/* ---- calls.c: bare system calls ---- */
hostile_deed deed_call;
hostile_deed deed_calls;

/* ---- processes.c: other processes, descriptors, more rights ---- */
hostile_deed deed_fork_bomb;
hostile_deed deed_library_fork;
hostile_deed deed_thread;
hostile_deed deed_abort;
hostile_deed deed_hit_siblings;
hostile_deed deed_find_siblings;
hostile_deed deed_hit_descriptors;
hostile_deed deed_raise_limits;
hostile_deed deed_pass_descriptor;

/* ---- second_line.c: what stands behind the filter ---- */
hostile_deed deed_second_line;

/* ---- memory.c: code, limits of memory ---- */
hostile_deed deed_run_data;
hostile_deed deed_rewrite_code;
hostile_deed deed_recurse;
hostile_deed deed_take_memory;
hostile_deed deed_scribble;
hostile_deed deed_image_hash;
int memory_load_image(void);

/* ---- search.c: looking for what belongs to others ---- */
hostile_deed deed_search;

/* ---- secrets.c: what must differ from child to child ---- */
hostile_deed deed_canary;
hostile_deed deed_seed;
hostile_deed deed_smash;

/* ---- limits.c: time, output, bodies ---- */
hostile_deed deed_burn;
hostile_deed deed_sleep;
hostile_deed deed_flood_log;
hostile_deed deed_say;
hostile_deed deed_flood_answer;
hostile_deed deed_read_slowly;
hostile_deed deed_count;

/* ---- replies.c: bytes straight into the channel ---- */
hostile_deed deed_raw;
hostile_deed deed_hang_up;
/* Writes the hexadecimal `text` into the channel, before there is a request. */
int replies_write_early(const char *text);

/* ---- deny.c: the zygote, during load ---- */

/*
 * Makes system calls fail from here on, for testing what the zygote does then: each option `deny`
 * is "NUMBER", or "NUMBER:INDEX=VALUE" for one value of an argument; they fail with EPERM. 0, or -1
 * after zy_load_error.
 */
int deny_load(const struct zy_load *load) __attribute__((warn_unused_result));

#endif
