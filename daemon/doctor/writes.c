/*
 * Facts about copy-on-write: who sees a write, and how much it copies.
 *
 * Runs in: the processes of experiments.
 */
#include "doctor/experiment.h"
#include "doctor/lab.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COPY_PAGES  1024
#define VM_STACK    65536
#define FAULT_SLACK 3 /* faults elsewhere, as of the stack */

static const unsigned copy_counts[] = { 0, 1, 10, 100, 1000 };
#define COPY_COUNTS (sizeof(copy_counts) / sizeof(copy_counts[0]))

/* ---- whose writes are seen ---- */

static _Noreturn void
write_in_child(volatile int *value, int *seen, int end)
{
	*value = 20;
	if (!lab_wake(end) || !lab_await(end))
		_exit(1);
	*seen = *value;
	_exit(0);
}

static void
run_private_writes(struct finding *finding)
{
	volatile int value = 10;
	int *seen = lab_shared(sizeof(*seen));
	int ends[2];

	if (seen == NULL || lab_pair(ends) < 0) {
		finding_untried(finding, "no memory or socket: %s", strerror(errno));
		return;
	}
	const pid_t pid = lab_fork();
	if (pid == 0)
		write_in_child(&value, seen, ends[1]);
	close(ends[1]);
	const bool met = lab_await(ends[0]);
	const int parent_reads = value;
	value = 30;
	if (!lab_wake(ends[0]) || lab_wait(pid) != 0 || !met) {
		finding_set(finding, false, "no child, or it died: %s", strerror(errno));
		return;
	}
	finding_add(finding, parent_reads, "parent_reads");
	finding_add(finding, *seen, "child_reads");
	finding_set(finding, parent_reads == 10 && *seen == 20, "the parent reads %d, the child %d",
		    parent_reads, *seen);
}

static int
write_shared(void *value)
{
	*(volatile int *)value = 20;
	return 0;
}

static void
run_clone_vm(struct finding *finding)
{
	static char stack[VM_STACK] __attribute__((aligned(16)));
	volatile int value = 10;

	const pid_t pid = clone(write_shared, stack + VM_STACK, CLONE_VM | SIGCHLD, (void *)&value);
	if (pid < 0) {
		finding_missing(finding, "clone");
		return;
	}
	lab_wait(pid);
	finding_add(finding, value, "parent_reads");
	finding_set(finding, value == 20, "the parent reads %d", value);
}

/* ---- how much is copied ---- */

struct copies {
	long faults;
	struct lab_pages pages;
	int error;
};

static _Noreturn void
copy_in_child(volatile char *region, unsigned count, struct copies *copies)
{
	(void)lab_faults(); /* its own pages are there after that */
	const long before = lab_faults();
	for (unsigned i = 0; i < count; i++)
		region[(size_t)i * LAB_PAGE] = 2;
	copies->faults = lab_faults() - before;
	if (lab_count_pages((uintptr_t)region, COPY_PAGES, &copies->pages) < 0)
		copies->error = errno;
	_exit(0);
}

/* Whether it could be measured; else errno says why it could not. */
static bool
measure_copies(char *region, unsigned count, struct copies *copies_out)
{
	struct copies *copies = lab_shared(sizeof(*copies));

	if (copies == NULL)
		return false;
	const pid_t pid = lab_fork();
	if (pid == 0)
		copy_in_child(region, count, copies);
	const bool has_ended = pid > 0 && lab_wait(pid) == 0;
	*copies_out = *copies;
	munmap(copies, sizeof(*copies));
	if (has_ended)
		errno = copies_out->error;
	return has_ended && copies_out->error == 0;
}

static void
append(char *list, size_t size, size_t number)
{
	const size_t length = strlen(list);

	snprintf(list + length, size - length, "%s%zu", length > 0 ? ", " : "", number);
}

/* The parent's pages, afterwards. */
static unsigned
count_changed(const volatile char *region)
{
	unsigned changed = 0;

	for (size_t i = 0; i < COPY_PAGES; i++)
		changed += region[i * LAB_PAGE] != 1;
	return changed;
}

/* Of a frozen image every private page is a copy, of inherited memory only what is the child's
 * alone. */
static void
count_copies(struct finding *finding, char *region, bool is_frozen)
{
	char copied_list[64] = "", faults_list[64] = "";
	struct copies copies;
	bool holds = true;

	for (size_t i = 0; i < COPY_COUNTS; i++) {
		const unsigned count = copy_counts[i];
		if (!measure_copies(region, count, &copies)) {
			finding_untried(finding, "cannot count pages in a child: %s",
					strerror(errno));
			return;
		}
		const size_t copied = is_frozen ? copies.pages.private : copies.pages.copied;
		const size_t faults = (size_t)copies.faults;
		finding_add(finding, (int64_t)copied, "copied_%u", count);
		finding_add(finding, (int64_t)faults, "faults_%u", count);
		append(copied_list, sizeof(copied_list), copied);
		append(faults_list, sizeof(faults_list), faults);
		holds = holds && copied == count && faults >= count &&
			faults <= count + FAULT_SLACK;
	}
	const unsigned changed = count_changed(region);
	finding_add(finding, changed, "changed_in_parent");
	finding_set(finding, holds && changed == 0, "%s pages copied, %s faults, %u changed",
		    copied_list, faults_list, changed);
}

static void
run_copied_inherited(struct finding *finding)
{
	char *region = lab_anonymous((size_t)COPY_PAGES * LAB_PAGE);

	if (region == NULL) {
		finding_untried(finding, "no memory: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < COPY_PAGES; i++)
		region[i * LAB_PAGE] = 1;
	count_copies(finding, region, false);
}

static void
run_copied_frozen(struct finding *finding)
{
	char *region = lab_frozen((size_t)COPY_PAGES * LAB_PAGE);

	if (region == NULL)
		finding_missing(finding, "a sealed memfd, mapped privately");
	else
		count_copies(finding, region, true);
}

static const struct experiment rows[] = {
	{ .name = "private-writes",
	  .done = "A variable is 10. A forked child sets it to 20, then the parent sets its own to "
		  "30.",
	  .expected = "The parent still reads 10 after the child's write, the child 20 after the "
		      "parent's.",
	  .run = run_private_writes,
	  .reliance = RELIANCE_YES },
	{ .name = "clone-vm",
	  .done = "For contrast: the child is made by clone with CLONE_VM, and sets 10 to 20.",
	  .expected = "The parent reads 20. No child of the daemon is made that way.",
	  .run = run_clone_vm,
	  .reliance = RELIANCE_NO },
	{ .name = "copied-pages",
	  .done = "Children write k of 1024 inherited pages, for k = 0, 1, 10, 100, 1000.",
	  .expected = "k pages are copied, for k page faults; the parent's do not change.",
	  .run = run_copied_inherited,
	  .reliance = RELIANCE_YES },
	{ .name = "copied-pages-frozen",
	  .done = "The same with a frozen image: a sealed memfd that is mapped privately.",
	  .expected = "k pages are copied, for k page faults; the image does not change.",
	  .run = run_copied_frozen,
	  .reliance = RELIANCE_YES },
};

const struct experiment_group experiments_writes = {
	.title = "copy-on-write",
	.experiments = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};
