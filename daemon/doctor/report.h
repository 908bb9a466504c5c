/*
 * What the doctor found, for people and for programs.
 */
#ifndef ZYGOTED_DOCTOR_REPORT_H
#define ZYGOTED_DOCTOR_REPORT_H

#include "doctor/experiment.h"

#include <stdio.h>

/* An experiment and what came of it. */
struct result {
	const struct experiment *experiment;
	const char *group;
	struct finding finding;
};

struct report {
	const char *user; /* that unprivileged experiments run as */
	size_t count;
	const struct result *results;
};

/* How many results have that verdict; only those that the daemon relies on, or all. */
size_t report_count(const struct report *report, enum verdict verdict, bool relied_on);

/* Prints it. 0, or -1 when that failed. */
int report_print_table(const struct report *report, FILE *out) __attribute__((warn_unused_result));
int report_print_json(const struct report *report, FILE *out) __attribute__((warn_unused_result));

#endif
