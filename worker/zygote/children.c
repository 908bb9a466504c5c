/*
 * The table of children. A slot's state changes only here.
 *
 * Runs in: zygote. Trusts slot numbers and serials that orders.c has checked. Children are known by
 * pidfd and serial, so that a pid which the kernel uses again hits nobody.
 */
#include "children.h"

#include "child.h"
#include "siblings.h"
#include "sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t
buckets_for(uint32_t slots)
{
	uint32_t buckets = 64;

	while (buckets < slots)
		buckets *= 2;
	return buckets;
}

struct children *
children_new(const struct heritage_zygote *heritage, const struct child_plan *plan, uint32_t index)
{
	const uint32_t own =
		(heritage->max_children - index + heritage->zygotes - 1) / heritage->zygotes;
	const uint32_t slots = heritage->fronts * own;
	const uint32_t buckets = buckets_for(slots);
	const size_t size = sizeof(struct children) + buckets * sizeof(struct slot *) +
			    slots * sizeof(struct slot);

	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (madvise(memory, size, MADV_DONTFORK) < 0)
		return NULL;
	struct children *children = (struct children *)memory;
	children->plan = plan;
	children->fronts_count = heritage->fronts;
	children->index = index;
	children->zygotes = heritage->zygotes;
	children->slots_count = heritage->max_children;
	children->slots_own = own;
	children->buckets_mask = buckets - 1;
	children->buckets = (struct slot **)(memory + sizeof(struct children));
	struct slot *first = (struct slot *)(children->buckets + buckets);
	for (uint32_t i = 0; i < heritage->fronts; i++) {
		children->fronts[i].fd = ZYGOTE_FRONT_FD + (int)i;
		children->fronts[i].slots = first + (size_t)i * own;
	}
	for (uint32_t i = 0; i < slots; i++)
		first[i].front = &children->fronts[i / own];
	return children;
}

struct slot *
children_slot(const struct children *children, const struct front *front, uint32_t number)
{
	return number % children->zygotes == children->index
		       ? &front->slots[number / children->zygotes]
		       : NULL;
}

static struct slot **
bucket_of(struct children *children, pid_t pid)
{
	return &children->buckets[(uint32_t)pid & children->buckets_mask];
}

int
children_fork(struct children *children, struct slot *slot, const struct msg_order_child *order,
	      const int fds[2])
{
	const bool prefaults = (order->flags & ORDER_PREFAULT) != 0;
	pid_t pid = child_fork(prefaults ? children->prefault_plan : children->plan, fds[0], fds[1],
			       &slot->pidfd);

	if (pid < 0)
		return errno;
	slot->state = SLOT_ALIVE;
	slot->pid = pid;
	slot->serial = order->serial;
	slot->front->alive++;
	slot->next_by_pid = *bucket_of(children, pid);
	*bucket_of(children, pid) = slot;
	return 0;
}

void
children_kill(const struct slot *slot)
{
	syscall(SYS_pidfd_send_signal, slot->pidfd, SIGKILL, NULL, 0);
}

/* The living child of that pid, out of the buckets; NULL for a probe. */
static struct slot *
take_by_pid(struct children *children, pid_t pid)
{
	struct slot **link = bucket_of(children, pid);

	while (*link != NULL && (*link)->pid != pid)
		link = &(*link)->next_by_pid;
	struct slot *slot = *link;
	if (slot != NULL)
		*link = slot->next_by_pid;
	return slot;
}

static void
queue_exited(struct front *front, struct slot *slot)
{
	slot->state = SLOT_EXITED;
	slot->next_exited = NULL;
	if (front->exited_first == NULL)
		front->exited_first = slot;
	else
		front->exited_last->next_exited = slot;
	front->exited_last = slot;
}

static uint64_t
to_us(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void
fill_exit(const struct children *children, struct slot *slot, const siginfo_t *info,
	  const struct rusage *usage)
{
	const uint32_t position = (uint32_t)(slot - slot->front->slots);

	slot->exit = (struct msg_exited_child){
		.slot = position * children->zygotes + children->index,
		.pid = slot->pid,
		.serial = slot->serial,
		.code = info->si_status,
		.signal = info->si_code != CLD_EXITED,
		.minor_faults = (uint64_t)usage->ru_minflt,
		.user_us = to_us(&usage->ru_utime),
		.system_us = to_us(&usage->ru_stime),
		.max_rss_bytes = (uint64_t)usage->ru_maxrss * 1024,
	};
}

static void
on_exit_of(struct children *children, const siginfo_t *info, const struct rusage *usage)
{
	struct slot *slot = take_by_pid(children, info->si_pid);

	if (slot == NULL) {
		if (children->probe.pid == info->si_pid) {
			close(children->probe.pidfd);
			children->probe.pid = 0;
		}
		if (children->siblings != NULL)
			siblings_on_exit(children->siblings, info);
		return;
	}
	struct front *front = slot->front;
	close(slot->pidfd);
	front->alive--;
	if (!front->is_resetting) {
		fill_exit(children, slot, info, usage);
		queue_exited(front, slot);
		return;
	}
	slot->state = SLOT_FREE;
	if (front->alive == 0) {
		front->is_resetting = false;
		front->is_reset_due = true;
	}
}

/* waitid(3) has no room for the usage; the system call fills both. */
unsigned
children_reap(struct children *children)
{
	struct rusage usage;
	siginfo_t info;

	for (unsigned count = 0;; count++) {
		info.si_pid = 0;
		if (sys_call5(SYS_waitid, P_ALL, 0, (long)&info, WEXITED | WNOHANG, (long)&usage) <
			    0 ||
		    info.si_pid == 0)
			return count;
		on_exit_of(children, &info, &usage);
	}
}

void
children_pop_exited(struct front *front)
{
	struct slot *slot = front->exited_first;

	front->exited_first = slot->next_exited;
	slot->state = SLOT_FREE;
}

void
children_reset(struct children *children, struct front *front, uint32_t epoch)
{
	while (front->exited_first != NULL)
		children_pop_exited(front);
	for (uint32_t i = 0; i < children->slots_own; i++)
		if (front->slots[i].state == SLOT_ALIVE)
			children_kill(&front->slots[i]);
	front->epoch = epoch;
	front->forked.count = 0;
	front->is_resetting = front->alive > 0;
	front->is_reset_due = front->alive == 0;
}
