/*
 * Facts about pages: which stay shared, until when, and what never takes memory.
 *
 * Runs in: the processes of experiments.
 */
#include "doctor/experiment.h"
#include "doctor/lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/procfs.h"
#include "supervisor/smaps.h"

#define OWNED_PAGES 256
#define ZERO_BYTES  (16 * LAB_MIB)
#define ZERO_SLACK  (256 * 1024) /* other memory of the process that moves meanwhile */

/* ---- program text ---- */

struct text {
	size_t present;
	size_t copied;
	int error;
};

/* A line of /proc/self/maps: a file's mapping that cannot be written. */
static bool
is_text(const char *line, unsigned long *start_out, unsigned long *end_out)
{
	char rights[5];

	if (sscanf(line, "%lx-%lx %4s", start_out, end_out, rights) != 3) // NOLINT(cert-err34-c)
		return false;
	return rights[0] == 'r' && rights[1] == '-' && strchr(line, '/') != NULL;
}

static void
count_text(struct text *text)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	struct lab_pages pages;
	char line[512];

	if (maps == NULL) {
		text->error = errno;
		return;
	}
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (!is_text(line, &start, &end))
			continue;
		if (lab_count_pages(start, (end - start) / LAB_PAGE, &pages) < 0)
			text->error = errno;
		text->present += pages.present;
		text->copied += pages.copied;
	}
	fclose(maps);
}

static void
run_text(struct finding *finding)
{
	struct text *text = lab_shared(sizeof(*text));
	pid_t pid = -1;

	if (text != NULL && (pid = lab_fork()) == 0) {
		count_text(text);
		_exit(0);
	}
	if (pid < 0 || lab_wait(pid) != 0 || text->error != 0) {
		if (text != NULL && text->error != 0)
			errno = text->error;
		finding_untried(finding, "cannot count pages in a child: %s", strerror(errno));
		return;
	}
	finding_add(finding, (int64_t)text->present, "present");
	finding_add(finding, (int64_t)text->copied, "copied");
	finding_set(finding, text->present > 0 && text->copied == 0, "%zu of %zu pages are copies",
		    text->copied, text->present);
}

/* ---- who owns the pages ---- */

/* Its own end is closed by the exec, so the parent learns of it. Waits then for the end of its input. */
static _Noreturn void
park_and_leave(const int ends[2], const int input[2], bool by_exec)
{
	close(ends[0]);
	if (!lab_wake(ends[1]) || !lab_await(ends[1]))
		_exit(1);
	if (!by_exec)
		_exit(0);
	dup2(input[0], STDIN_FILENO);
	execl("/bin/cat", "cat", (char *)NULL);
	_exit(127);
}

/* Pages that are the parent's alone: before, while the child is parked, after it has left. */
static void
watch_owner(struct finding *finding, char *region, bool by_exec)
{
	struct lab_pages before, during, after;
	int ends[2], input[2];

	if (lab_pair(ends) < 0 || lab_pair(input) < 0 ||
	    lab_count_pages((uintptr_t)region, OWNED_PAGES, &before) < 0) {
		finding_untried(finding, "cannot count pages: %s", strerror(errno));
		return;
	}
	const pid_t pid = lab_fork();
	if (pid == 0)
		park_and_leave(ends, input, by_exec);
	close(ends[1]);
	close(input[0]);
	if (pid < 0 || !lab_await(ends[0]) ||
	    lab_count_pages((uintptr_t)region, OWNED_PAGES, &during) < 0 || !lab_wake(ends[0]) ||
	    lab_await(ends[0]) || (!by_exec && lab_wait(pid) != 0) ||
	    lab_count_pages((uintptr_t)region, OWNED_PAGES, &after) < 0) {
		finding_set(finding, false, "no child, or it died: %s", strerror(errno));
		return;
	}
	close(input[1]);
	if (by_exec && lab_wait(pid) != 0) {
		finding_untried(finding, "cannot execute /bin/cat");
		return;
	}
	finding_add(finding, (int64_t)before.copied, "owned_before");
	finding_add(finding, (int64_t)during.copied, "owned_during");
	finding_add(finding, (int64_t)after.copied, "owned_after");
	finding_set(finding,
		    before.copied == OWNED_PAGES && during.copied == 0 &&
			    after.copied == OWNED_PAGES,
		    "%zu pages, then %zu, then %zu", before.copied, during.copied, after.copied);
}

static void
run_owner(struct finding *finding, bool by_exec)
{
	char *region = lab_anonymous((size_t)OWNED_PAGES * LAB_PAGE);

	if (region == NULL) {
		finding_untried(finding, "no memory: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < OWNED_PAGES; i++)
		region[i * LAB_PAGE] = 1;
	watch_owner(finding, region, by_exec);
}

static void
run_owner_exit(struct finding *finding)
{
	run_owner(finding, false);
}

static void
run_owner_exec(struct finding *finding)
{
	run_owner(finding, true);
}

/* ---- memory that nobody has written ---- */

static int64_t
resident_bytes(void)
{
	struct smaps_rollup rollup;
	char text[4096];

	if (procfs_read("/proc/self/smaps_rollup", text, sizeof(text)) < 0)
		return -1;
	return smaps_parse_rollup(text, &rollup) < 0 ? -1 : (int64_t)rollup.rss_bytes;
}

static void
run_zero_page(struct finding *finding)
{
	volatile char *region = lab_anonymous(ZERO_BYTES);
	(void)resident_bytes(); /* what that needs itself is there then */
	const int64_t before = resident_bytes();
	unsigned sum = 0;

	if (region == NULL || before < 0) {
		finding_untried(finding, "no memory, or no /proc/self/smaps_rollup: %s",
				strerror(errno));
		return;
	}
	for (size_t at = 0; at < ZERO_BYTES; at += LAB_PAGE)
		sum += (unsigned char)region[at];
	const int64_t read = resident_bytes() - before;
	for (size_t at = 0; at < ZERO_BYTES; at += LAB_PAGE)
		region[at] = 1;
	const int64_t written = resident_bytes() - before;
	finding_add(finding, read, "read_bytes");
	finding_add(finding, written, "written_bytes");
	finding_set(finding,
		    sum == 0 && read <= ZERO_SLACK && written >= (int64_t)ZERO_BYTES &&
			    written <= (int64_t)ZERO_BYTES + ZERO_SLACK,
		    "reading adds %lld KiB, writing %lld KiB", (long long)read / 1024,
		    (long long)written / 1024);
}

static const struct experiment rows[] = {
	{ .name = "text-shared",
	  .done = "A child runs, then counts its own copies of pages of program text and read-only "
		  "data.",
	  .expected = "There are none.",
	  .run = run_text,
	  .reliance = RELIANCE_YES },
	{ .name = "exit-lets-go",
	  .done = "256 written pages; a child is forked, and exits.",
	  .expected = "256 are the parent's alone, none while the child lives, 256 afterwards.",
	  .run = run_owner_exit,
	  .reliance = RELIANCE_YES },
	{ .name = "exec-lets-go",
	  .done = "256 written pages; a child is forked, and executes another program.",
	  .expected = "256 are the parent's alone, none until the exec, 256 afterwards.",
	  .run = run_owner_exec,
	  .reliance = RELIANCE_YES },
	{ .name = "zero-page",
	  .done = "16 MiB of new memory (16384 KiB) are read, then written.",
	  .expected = "Reading adds no memory, writing adds 16384 KiB.",
	  .run = run_zero_page,
	  .reliance = RELIANCE_YES },
};

const struct experiment_group experiments_sharing = {
	.title = "shared pages",
	.experiments = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};
