/*
 * zygoted-zygote: loads a worker once, locks itself up, and forks a child for every order.
 *
 * Runs in: zygote, from exec to the loop. Trusts its supervisor, which has dropped the user and put
 * the descriptors of enum zygote_fd in place. Nothing of the network is in this process or ever was
 * in one that it was copied from.
 */
#include "base/heritage.h"
#include "base/log.h"
#include "base/msg.h"
#include "aside.h"
#include "child.h"
#include "children.h"
#include "failure.h"
#include "figures.h"
#include "image.h"
#include "load.h"
#include "lockdown.h"
#include "orders.h"
#include "prefault.h"
#include "runtime.h"
#include "selftest.h"
#include "siblings.h"
#include "stacks.h"
#include "title.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Mapped from the supervisor's memfd: children share it without a page of their own. */
static const struct heritage_zygote *heritage;
static struct child_plan plan;
static struct msg_zygote_ready ready;
static struct siblings siblings;
static struct aside *aside;
static struct child_plan prefault_plan; /* the same with a table */

static void
on_sigchld(int number)
{
	(void)number; /* its only use is to end ppoll */
}

static void
take_heritage(void)
{
	heritage = heritage_map(ZYGOTE_HERITAGE_FD, sizeof(*heritage));
	if (heritage == NULL || heritage->magic != HERITAGE_MAGIC ||
	    heritage->size != sizeof(*heritage))
		zygote_fail(ZY_EXIT_HERITAGE, 0,
			    "this program is started by zygoted of the same version only");
	if (heritage->fronts == 0 || heritage->fronts > PROTO_FRONTS_MAX ||
	    heritage->max_children == 0 || heritage->max_children > PROTO_CHILDREN_MAX ||
	    heritage->zygotes == 0 || heritage->zygotes > PROTO_ZYGOTES_MAX ||
	    heritage->zygotes > heritage->max_children)
		zygote_fail(ZY_EXIT_HERITAGE, 0, "heritage out of range");
	log_init("zygote", (enum log_level)heritage->log_level, (int)heritage->log_journal);
}

static void
refuse_root(void)
{
	if (getuid() == 0 || geteuid() == 0)
		zygote_fail(ZY_EXIT_SANDBOX_PRIVS, 0, "refuses to run as uid 0");
}

/*
 * The supervisor may have gone before the call took effect: then its end of the channel is closed.
 */
static void
tie_to_supervisor(void)
{
	struct pollfd channel = { .fd = ZYGOTE_SUPERVISOR_FD, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_PARENT, errno, "parent death signal");
	if (poll(&channel, 1, 0) > 0 && (channel.revents & POLLHUP) != 0)
		_exit(ZY_EXIT_OK);
}

/*
 * The numbers that the filter allows recvmsg on are all taken, the child's channel number too: no
 * descriptor that comes later can land there.
 */
static void
arrange_descriptors(void)
{
	int failed = dup3(STDIN_FILENO, CHILD_CHANNEL_FD, O_CLOEXEC) < 0;

	for (int fd = ZYGOTE_FRONT_FD + (int)heritage->fronts; fd < ZYGOTE_HERITAGE_FD; fd++)
		failed |= dup3(STDIN_FILENO, fd, O_CLOEXEC) < 0;
	failed |= close_range(siblings_fd_end(heritage), ~0u, 0) < 0;
	if (failed)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "descriptors");
}

/* What load() has left open is of no use to children, who have only their own. */
static void
close_leftovers(void)
{
	if (close_range(siblings_fd_end(heritage), ~0u, 0) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "descriptors");
}

/* Faults, which a worker may want to say something about before the child dies of them: worker.h. */
static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static void
read_fault_handlers(struct sigaction handlers_out[FAULTS])
{
	for (size_t i = 0; i < FAULTS; i++)
		sigaction(faults[i], NULL, &handlers_out[i]);
}

/* Those that load() has set itself; what was there before it, a sanitizer's, has had its time. */
static void
keep_fault_handlers(const struct sigaction before[FAULTS], const struct sigaction after[FAULTS])
{
	for (size_t i = 0; i < FAULTS; i++)
		if (after[i].sa_handler != before[i].sa_handler)
			sigaction(faults[i], &after[i], NULL);
}

/*
 * After load, which may have set handlers of its own: those for faults stay. A zygote and its children go by SIGKILL or by
 * the end of their channel; what a terminal or a service manager sends to a whole group is for the
 * supervisor to act upon. Broken pipes are found by write. Children inherit all of it.
 */
static void
set_signals(const struct sigaction before_load[FAULTS])
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
	struct sigaction action = { .sa_handler = SIG_DFL };
	struct sigaction after_load[FAULTS];
	sigset_t mask;

	read_fault_handlers(after_load);
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL); /* SIGKILL, SIGSTOP and libc's own refuse */
	keep_fault_handlers(before_load, after_load);
	action.sa_handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &action, NULL);
	action.sa_handler = on_sigchld;
	action.sa_flags = SA_NOCLDSTOP;
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* What load prints goes where its errors go. A child never flushes, so what it prints has to leave line by line. */
static void
set_output(void)
{
	if (dup3(STDERR_FILENO, STDOUT_FILENO, 0) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "standard output");
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/*
 * The kernel writes a thread's restartable-sequences area (rseq, registered by libc) when it has been moved to another
 * processor: in a page that after each fork zygote and child would both have to copy. Nothing here uses it.
 */
static void
give_up_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size > 0)
		(void)syscall(SYS_rseq, area, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

static uint64_t
private_bytes(void)
{
	static const char *const keys[] = { "Private_Clean:", "Private_Dirty:", NULL };
	uint64_t bytes = 0;

	if (figures_read("/proc/self/smaps_rollup", keys, &bytes) < 0)
		log_event(LOG_WARNING, "state not measured", "error=\"%s\"", strerror(errno));
	return bytes;
}

/* What each zygote of a generation has for itself: never inherited, so a sibling makes it anew. */
static struct children *
open_own(uint32_t index)
{
	struct children *children = NULL;

	const struct prefault_table *table = prefault_plan.prefault;

	plan.zygote_pid = getpid();
	prefault_plan = plan;
	prefault_plan.prefault = table;
	if (stacks_open_loop() == 0)
		children = children_new(heritage, &plan, index);
	if (children != NULL)
		children->prefault_plan = &prefault_plan;
	if (children == NULL)
		zygote_fail(ZY_EXIT_MEMORY, errno, "bookkeeping for %u children",
			    heritage->max_children);
	return children;
}

static void
report_ready(void)
{
	msg_init(&ready, MSG_ZYGOTE_READY);
	ready.siblings_count = siblings.count;
	for (uint32_t i = 0; i < siblings.count; i++)
		ready.siblings[i] = siblings.pids[i];
	if (msg_send(ZYGOTE_SUPERVISOR_FD, &ready, NULL, 0) < 0)
		_exit(errno == EPIPE || errno == ECONNRESET ? ZY_EXIT_OK : ZY_EXIT_ORDERS);
}

/*
 * The last steps of each zygote of a generation, on the stack that its loop will go on using. A sanitizer does not know where
 * that ends: none of it before a call that does not return.
 */
static _Noreturn __attribute__((no_sanitize("address"))) void
settle(struct children *children)
{
	const int error = aside != NULL ? aside_move(aside) : 0;
	struct selftest selftest;

	if (error != 0)
		zygote_fail(ZY_EXIT_FREEZE, error, "the variables of libraries could not be moved");
	if (siblings.index != 0) {
		lockdown_filter(heritage, ready.layers);
		siblings_say_ready(&siblings);
		orders_run(children);
	}
	siblings_wait(&siblings);
	selftest_open(heritage, &selftest);
	lockdown_filter(heritage, ready.layers);
	selftest_run(heritage, &plan, &selftest, &ready);
	report_ready();
	orders_run(children);
}

int
main(int argc, char **argv)
{
	struct image_source source;
	struct sigaction fault_handlers[FAULTS];
	struct loaded loaded;

	take_heritage();
	refuse_root();
	arrange_descriptors();
	tie_to_supervisor();
	set_output();
	read_fault_handlers(fault_handlers);
	load_worker(heritage, &loaded);
	close_leftovers();
	set_signals(fault_handlers);
	give_up_rseq();
	plan = (struct child_plan){ .worker = loaded.worker,
				    .state = loaded.state,
				    .cpu_seconds = heritage->cpu_seconds,
				    .open_files = heritage->open_files,
				    .runs_program = heritage->runs_programs };
	plan.request = stacks_prepare(sizeof(*plan.request));
	if (plan.request == NULL)
		zygote_fail(ZY_EXIT_MEMORY, errno, "stack of children");
	prefault_plan.prefault = prefault_map(heritage);
	ready.load_us = loaded.load_us;
	image_prepare(heritage, plan.request, &source);
	ready.state_bytes = private_bytes();
	struct children *children = open_own(0);
	lockdown_apply(heritage, ready.layers);
	/* After whatever else writes to the heap, and before the filter, which takes the calls that it needs away. */
	image_make(heritage, &source, &ready.image);
	aside = image_look_aside(&source, loaded.worker);
	if (siblings_fork(&siblings, heritage, title_place(argv[argc - 1])) > 0)
		children = open_own(siblings.index);
	else
		children->siblings = &siblings;
	stacks_run(settle, children);
}
