/*
 * An experiment: one fact about fork, copy-on-write or a layer of the sandbox, tried out.
 *
 * Each is a row of one of the tables below, run in a process of its own that is ended after
 * EXPERIMENT_SECONDS at the latest, with everything that it forked. So it may confine, limit or
 * kill itself. It reports into a finding, which lies in memory that it shares with the doctor and
 * with all that it forks.
 */
#ifndef ZYGOTED_DOCTOR_EXPERIMENT_H
#define ZYGOTED_DOCTOR_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPERIMENT_SECONDS 10 /* most take a hundredth of one; a busy machine takes its time */
#define FINDING_TEXT_MAX   240
#define FINDING_FIGURES	   16

struct identity;

enum reliance {
	RELIANCE_NO,	  /* for contrast: shows why the daemon does it otherwise */
	RELIANCE_PRESENT, /* used where there is one; what is there has to work */
	RELIANCE_YES,	  /* without it the daemon does not run, or breaks a promise */
	RELIANCE_MAX
};

enum verdict {
	VERDICT_NONE, /* nothing was reported */
	VERDICT_HOLDS,
	VERDICT_FAILS,
	VERDICT_MISSING, /* this system has no such thing: fails where it is relied on */
	VERDICT_UNTRIED, /* this machine or user lacks what the experiment needs */
	VERDICT_MAX
};

struct figure {
	char name[32];
	int64_t value; /* the unit ends the name */
};

struct finding {
	uint32_t verdict; /* enum verdict */
	uint32_t figures_count;
	char measured[FINDING_TEXT_MAX];
	struct figure figures[FINDING_FIGURES];
};

struct experiment {
	const char *name;
	const char *done;
	const char *expected;
	void (*run)(struct finding *finding);
	enum reliance reliance;
	bool as_user; /* as the unprivileged user, when we are root */
};

struct experiment_group {
	const char *title;
	const struct experiment *experiments;
	size_t count;
};

/* The tables, in the order in which they are printed. */
extern const struct experiment_group experiments_writes;
extern const struct experiment_group experiments_sharing;
extern const struct experiment_group experiments_fork;
extern const struct experiment_group experiments_cost;
extern const struct experiment_group experiments_layers;
extern const struct experiment_group experiments_kernel;

/*
 * Performs it in a process of its own and waits for its end. `shared` is a finding in shared
 * memory; *finding_out gets what it says, with VERDICT_MISSING resolved to what that means for the
 * daemon: never VERDICT_NONE or VERDICT_MISSING.
 */
void experiment_perform(const struct experiment *experiment, const struct identity *identity,
			struct finding *shared, struct finding *finding_out);

/* ---- for the experiments ---- */

/* The outcome, and the text for "measured". The last one counts. */
void finding_set(struct finding *finding, bool holds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What was to be tried could not be had: `what` failed with errno. */
void finding_missing(struct finding *finding, const char *what);

/* It could not be tried, and that says nothing about the fact. */
void finding_untried(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A number for who reads the JSON. More than FINDING_FIGURES is a bug. */
void finding_add(struct finding *finding, int64_t value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
