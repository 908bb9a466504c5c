/*
 * Tries out what the daemon rests on: the properties of fork and copy-on-write, what they cost, the
 * layers of the sandbox, and the means of the kernel that it uses.
 *
 * Runs in: doctor, a role of its own of the executable zygoted, that a person at a terminal starts.
 * It shares no state with the daemon and needs none running. The rule: experiments run in processes
 * of their own, so none can harm the machine, or another one's result.
 */
#include "doctor/doctor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "doctor/experiment.h"
#include "doctor/report.h"
#include "supervisor/identity.h"

#define RESULTS_MAX 64

static const char usage[] = "usage: zygoted " DOCTOR_OPTION " [-j]\n"
			    "\n"
			    "  -j  print JSON instead of a table\n";

static const struct experiment_group *const groups[] = {
	&experiments_writes, &experiments_sharing, &experiments_fork,
	&experiments_cost,   &experiments_layers,  &experiments_kernel,
};

static void
perform_group(const struct experiment_group *group, const struct identity *identity,
	      struct finding *shared, struct report *report)
{
	static struct result results[RESULTS_MAX];

	report->results = results;
	for (size_t i = 0; i < group->count; i++) {
		if (report->count == RESULTS_MAX)
			bug("more experiments than results");
		struct result *result = &results[report->count++];
		result->experiment = &group->experiments[i];
		result->group = group->title;
		experiment_perform(result->experiment, identity, shared, &result->finding);
	}
}

static void
perform_all(const struct identity *identity, struct report *report)
{
	struct finding *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		die("no memory for the experiments' results");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		perform_group(groups[i], identity, shared, report);
	munmap(shared, sizeof(*shared));
}

/*
 * Experiments take the numbers 0 to 2 for granted; and with SIGCHLD ignored, as a careless parent
 * may leave it, children would be gone before we can wait for them.
 */
static void
prepare(void)
{
	int fd;

	signal(SIGCHLD, SIG_DFL);
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
doctor_main(int argc, char **argv)
{
	const bool is_json = argc == 2 && strcmp(argv[1], "-j") == 0;
	struct identity identity;
	struct report report = { .user = identity.name };
	char notice[256];

	if (argc > 2 || (argc == 2 && !is_json)) {
		fputs(usage, stderr);
		return 2;
	}
	prepare();
	identity_resolve("", &identity, notice, sizeof(notice));
	perform_all(&identity, &report);
	if ((is_json ? report_print_json : report_print_table)(&report, stdout) < 0) {
		fputs("zygoted: the report could not be written\n", stderr);
		return 1;
	}
	return report_count(&report, VERDICT_FAILS, true) == 0 ? 0 : 1;
}
