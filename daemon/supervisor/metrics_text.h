/*
 * The two text formats that Prometheus reads: its own, version 0.0.4, and OpenMetrics 1.0. Pure:
 * what is written goes to a stream in memory.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_TEXT_H
#define ZYGOTED_SUPERVISOR_METRICS_TEXT_H

#include "base/histogram.h"
#include "base/proto.h"

#include <stdio.h>

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_TYPE_MAX };

/* One metric family. */
struct metrics_family {
	const char *name; /* without _total */
	const char *unit; /* the end of the name, "seconds" or "bytes"; "": none */
	const char *help;
	enum metric_type type;
};

struct metrics_label {
	const char *name;
	const char *value; /* any text: it is escaped */
};

#define METRICS_LABELS_MAX 3

struct metrics_writer {
	FILE *out;
	enum metrics_format format;
	const struct metrics_family *family; /* the one that is being written */
};

/* Begins a family: HELP, TYPE, and UNIT where the format has it. */
void metrics_text_begin(struct metrics_writer *writer, const struct metrics_family *family);

/*
 * One sample of it: value / divisor, with as many decimals as a divisor of 1, 1000 or 1000000 has
 * zeros. Labels end with a NULL name, METRICS_LABELS_MAX at most.
 */
void metrics_text_value(struct metrics_writer *writer, const struct metrics_label *labels,
			uint64_t value, uint32_t divisor);

/* All samples of one distribution, in seconds. */
void metrics_text_histogram(struct metrics_writer *writer, const struct metrics_label *labels,
			    const struct histogram *histogram, uint64_t sum_us);

/* The end of the text. */
void metrics_text_end(struct metrics_writer *writer);

#endif
