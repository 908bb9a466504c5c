/*
 * Heritage structs and BPF programs in sealed memfds: written by the supervisor, read once by the
 * process that it starts, unchangeable in between.
 *
 * Runs in: supervisor (seal), front and zygote (read).
 */
#include "base/heritage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
heritage_write(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t written = write(fd, (const char *)data + done, size - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		done += (size_t)written;
	}
	return 0;
}

/* A child's socket and both ends of its log pipe. */
#define CHILD_FDS 3
/* Channels, the event loop, one generation's channels that takes over, and some air. */
#define OTHER_FDS 32

uint64_t
heritage_front_descriptors(uint64_t children, uint32_t listeners)
{
	return children * CHILD_FDS + FRONT_LISTENER_FD + listeners + HERITAGE_SCRAPERS_MAX +
	       OTHER_FDS;
}

int
heritage_seal_fd(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int
heritage_seal(const char *name, const void *data, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (heritage_write(fd, data, size) < 0 || heritage_seal_fd(fd) < 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
heritage_pread(int fd, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t count = pread(fd, (char *)data + done, size - done, (off_t)done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count == 0)
			errno = EPROTO;
		if (count <= 0)
			return -1;
		done += (size_t)count;
	}
	return 0;
}

static int
read_all(int fd, void *data, size_t size)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -1;
	if ((size_t)status.st_size != size) {
		errno = EPROTO;
		return -1;
	}
	return heritage_pread(fd, data, size);
}

int
heritage_read(int fd, void *data, size_t size)
{
	int result = read_all(fd, data, size);
	int saved = errno;

	close(fd);
	errno = saved;
	return result;
}

const void *
heritage_map(int fd, size_t size)
{
	struct stat status;
	void *data = MAP_FAILED;

	if (fstat(fd, &status) == 0) {
		errno = EPROTO;
		if ((size_t)status.st_size == size)
			data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return data == MAP_FAILED ? NULL : data;
}
