/*
 * The process around an experiment: bounded in time, in a process group of its own, so that nothing
 * is left of it.
 *
 * Runs in: doctor; prepare() in the experiment's process. Trusts experiments to be ours, not to
 * succeed: one that dies has failed.
 */
#include "doctor/experiment.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/identity.h"

static void
set_text(struct finding *finding, enum verdict verdict, const char *format, va_list arguments)
{
	vsnprintf(finding->measured, sizeof(finding->measured), format, arguments);
	finding->verdict = verdict;
}

void
finding_set(struct finding *finding, bool holds, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_text(finding, holds ? VERDICT_HOLDS : VERDICT_FAILS, format, arguments);
	va_end(arguments);
}

void
finding_missing(struct finding *finding, const char *what)
{
	const int error = errno;

	snprintf(finding->measured, sizeof(finding->measured), "%s: %s", what, strerror(error));
	finding->verdict = VERDICT_MISSING;
}

void
finding_untried(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_text(finding, VERDICT_UNTRIED, format, arguments);
	va_end(arguments);
}

void
finding_add(struct finding *finding, int64_t value, const char *format, ...)
{
	va_list arguments;

	if (finding->figures_count == FINDING_FIGURES)
		bug("too many figures");
	struct figure *figure = &finding->figures[finding->figures_count++];
	va_start(arguments, format);
	vsnprintf(figure->name, sizeof(figure->name), format, arguments);
	va_end(arguments);
	figure->value = value;
}

/* Whatever our parent left us; and SIGALRM ends us. */
static void
reset_signals(void)
{
	sigset_t none;

	signal(SIGALRM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Some experiments die by plan, if possible without a core file. A change of user makes a process not dumpable,
 * which would close its own /proc/self to it, and clears the signal of its parent's death: prctl(2).
 */
static bool
prepare(const struct experiment *experiment, const struct identity *identity,
	struct finding *finding)
{
	const struct rlimit none = { 0, 0 };

	reset_signals();
	alarm(EXPERIMENT_SECONDS);
	(void)setrlimit(RLIMIT_CORE, &none);
	if (setpgid(0, 0) < 0)
		finding_missing(finding, "a process group of its own");
	else if (experiment->as_user && identity_apply(identity) < 0)
		finding_missing(finding, "becoming the unprivileged user");
	else if (prctl(PR_SET_DUMPABLE, 1) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		finding_missing(finding, "prctl");
	else
		return true;
	return false;
}

/*
 * SIGKILL is not ours while we wait: the kernel was out of memory, or that of a control group was
 * used up.
 */
static void
judge_death(const siginfo_t *info, struct finding *finding)
{
	if (info->si_code == CLD_EXITED) {
		if (finding->verdict == VERDICT_NONE)
			finding_set(finding, false, "ended without a result");
	} else if (info->si_status == SIGALRM) {
		finding_set(finding, false, "did not end within %d seconds", EXPERIMENT_SECONDS);
	} else if (info->si_status == SIGKILL) {
		finding_untried(finding, "was killed: is there too little memory?");
	} else {
		finding_set(finding, false, "died of signal %s", sigabbrev_np(info->si_status));
	}
}

/* What it forked is ended while its own number is still taken: nobody else's group can have it. */
static int
await_end(pid_t pid, siginfo_t *info)
{
	int result;

	do
		result = waitid(P_PID, (id_t)pid, info, WEXITED | WNOWAIT);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return -1;
	kill(-pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

void
experiment_perform(const struct experiment *experiment, const struct identity *identity,
		   struct finding *shared, struct finding *finding_out)
{
	siginfo_t info = { 0 };

	memset(shared, 0, sizeof(*shared));
	const pid_t pid = fork();
	if (pid == 0) {
		if (prepare(experiment, identity, shared))
			experiment->run(shared);
		_exit(0);
	}
	if (pid < 0 || await_end(pid, &info) < 0)
		finding_missing(shared, "a process for it");
	else
		judge_death(&info, shared);
	if (shared->verdict == VERDICT_MISSING)
		shared->verdict =
			experiment->reliance == RELIANCE_YES ? VERDICT_FAILS : VERDICT_UNTRIED;
	*finding_out = *shared;
	finding_out->measured[FINDING_TEXT_MAX - 1] = '\0';
}
