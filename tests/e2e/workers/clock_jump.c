/*
 * No worker: a library that is loaded before all others, and tells its process another time of day: that of the kernel and the
 * seconds in the file /mnt/clock/offset, which may change at any time. Other clocks stay as they are.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define OVERRIDE __attribute__((visibility("default")))

static const volatile int64_t *offset;
static int (*kernels)(clockid_t, struct timespec *);

/* Before main, and so before any lock-down; the mapping outlives it. */
static __attribute__((constructor)) void
open_offset(void)
{
	int fd = open("/mnt/clock/offset", O_RDONLY | O_CLOEXEC);
	void *memory =
		fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);

	*(void **)&kernels = dlsym(RTLD_NEXT, "clock_gettime");
	if (memory != MAP_FAILED)
		offset = memory;
	if (fd >= 0)
		close(fd);
}

OVERRIDE int
clock_gettime(clockid_t clock, struct timespec *out)
{
	const int result = kernels(clock, out);

	if (result == 0 && offset != NULL &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += *offset;
	return result;
}

OVERRIDE time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

OVERRIDE int
gettimeofday(struct timeval *out, void *zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}
