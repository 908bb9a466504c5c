/*
 * What experiments are made with: children, meeting points, memory whose pages can be counted.
 */
#ifndef ZYGOTED_DOCTOR_LAB_H
#define ZYGOTED_DOCTOR_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAB_PAGE 4096 /* x86-64's */
#define LAB_MIB	 ((size_t)1 << 20)

/* fork(2); the child dies with its parent. */
pid_t lab_fork(void);

/* Waits for a child's end. Its wait status, -1 when that cannot be had. */
int lab_wait(pid_t pid);

/* Ends and reaps a child; without effect when there is none (pid <= 0). */
void lab_end(pid_t pid);

/* Two ends for a parent and its child to wait for each other, close-on-exec. 0, or -1. */
int lab_pair(int ends_out[2]);

/* Wakes who waits at the other end; waits to be woken. false when the other end is gone. */
bool lab_wake(int end);
bool lab_await(int end);

/* Memory that children share with us, all zero. NULL with errno. */
void *lab_shared(size_t size);

/* Private memory in pages of 4 KiB, none of them there yet. NULL with errno. */
char *lab_anonymous(size_t size);

/*
 * A frozen image, as a zygote makes of its state: `size` bytes, each page beginning with 1, in a
 * sealed memfd that is mapped privately, and never written through the mapping. NULL with errno.
 */
char *lab_frozen(size_t size);

/* Pages of a range, as this process has them mapped: Documentation/admin-guide/mm/pagemap.rst. */
struct lab_pages {
	size_t present;
	size_t private; /* not a file's or memfd's: anonymous */
	size_t copied;	/* private, and mapped by nobody else */
};

/* Counts them. 0, or -1 with errno when /proc/self/pagemap cannot be read. */
int lab_count_pages(uintptr_t start, size_t count, struct lab_pages *out)
	__attribute__((warn_unused_result));

/* Minor faults of this process up to now. */
long lab_faults(void);

/* Time on a processor up to now, in microseconds: what other programs take is not in it. */
int64_t lab_cpu_us(void);

/* Should memory run out, this process is the first to go. */
void lab_volunteer(void);

/* Whether so many bytes can be used for a while without anybody noticing. */
bool lab_has_memory(size_t size);

#endif
