/*
 * fork copies page tables, but not those of a private mapping of a file that was never written to through that mapping:
 * what a child touches it faults in from the page cache, which all share (vma_needs_copy in the kernel's mm/memory.c). So
 * memory that was moved into a file costs a fork nothing, however much it is.
 *
 * Runs in: zygote, as its only thread, when nothing but its own loop is still to run. The rule: the functions here keep
 * what they work on in registers, on the stack and in the plan, and what they call does not allocate: any other memory may
 * be just moving, and what is written between a copy and its mapping is lost.
 */
#include "freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8U /* Linux 6.3: the file can never be executed */
#endif

/* Each is there twice for a moment: the load's peak is the state and one of them. */
#define CHUNK_BYTES (64ul << 20)

static int
open_image(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	return fd >= 0 || errno != EINVAL ? fd
					  : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static bool
is_zero(const char *page)
{
	const uint64_t *words = (const uint64_t *)page;

	for (size_t i = 0; i < IMAGE_PAGE / sizeof(*words); i++)
		if (words[i] != 0)
			return false;
	return true;
}

static int
write_run(int fd, const char *data, size_t bytes, uint64_t offset)
{
	while (bytes > 0) {
		ssize_t written = pwrite(fd, data, bytes, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		data += written;
		offset += (uint64_t)written;
		bytes -= (size_t)written;
	}
	return 0;
}

/* Pages without anything in them take no memory in the file. */
static int
copy_chunk(int fd, const char *data, size_t bytes, uint64_t offset)
{
	size_t from = 0;
	int error = 0;

	for (size_t at = 0; at < bytes && error == 0; at += IMAGE_PAGE) {
		if (!is_zero(data + at))
			continue;
		error = write_run(fd, data + from, at - from, offset + from);
		from = at + IMAGE_PAGE;
	}
	return error != 0 ? error : write_run(fd, data + from, bytes - from, offset + from);
}

/*
 * MAP_NORESERVE, or where memory is accounted the heuristic way each fork would be asked whether all of it could be copied.
 */
static int
map_at(const struct image_part *part, uint64_t start, size_t bytes, int fd)
{
	const int anonymous = fd < 0 ? MAP_ANONYMOUS : 0;
	if (mmap(image_address(start), bytes, part->prot,
		 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | anonymous, fd,
		 fd < 0 ? 0 : (off_t)(part->offset + (start - part->start))) == MAP_FAILED)
		return errno;
	return 0;
}

/*
 * The kernel makes one mapping of neighbouring chunks. What was a file's may have pages behind that file's end: to look at
 * one is a bus error, while a write from there just fails.
 */
static int
move_part(int fd, const struct image_part *part)
{
	int error = 0;

	for (uint64_t at = part->start; at < part->end && error == 0; at += CHUNK_BYTES) {
		const uint64_t left = part->end - at;
		const size_t bytes = left < CHUNK_BYTES ? left : CHUNK_BYTES;
		error = (part->is_file ? write_run : copy_chunk)(fd, image_address(at), bytes,
								 part->offset + (at - part->start));
		if (error == 0)
			error = map_at(part, at, bytes, fd);
	}
	return error;
}

/*
 * A hole was touched by nobody, so a new mapping has the same in it; but the old one has the books (anon_vma) of one that
 * was written to, and with them fork looks through its page tables.
 */
static int
renew_hole(const struct image_part *part)
{
	return map_at(part, part->start, part->end - part->start, -1);
}

static void
advise(const struct image_part *part, bool advise_huge)
{
	const size_t bytes = part->end - part->start;
	const bool wanted = part->is_hole ? part->is_huge : advise_huge && bytes >= IMAGE_HUGE_PAGE;

	/* Without them everything goes on as well. */
	if (wanted)
		(void)madvise(image_address(part->start), bytes, MADV_HUGEPAGE);
}

static int
move_parts(int fd, const struct image_plan *plan, bool advise_huge)
{
	for (uint32_t i = 0; i < plan->parts_count; i++) {
		const struct image_part *part = &plan->parts[i];
		int error = part->is_hole ? renew_hole(part) : move_part(fd, part);
		if (error != 0)
			return error;
		advise(part, advise_huge);
	}
	return 0;
}

static int
seal(int fd, struct freeze_result *out)
{
	struct stat status;

	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ||
	    fstat(fd, &status) < 0)
		return errno;
	out->image_bytes = (uint64_t)status.st_blocks * 512;
	return 0;
}

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * realloc in a child may have the kernel lengthen a mapping (mremap). Then the file goes on below it: with what comes next,
 * which is as good as any contents for it, or behind the end, where access would be a bus error. So the file is as much
 * longer as a child may grow. What a child touches in there, or of the file's other holes, is the image's from then on: a
 * hostile one can make it larger by `spare_bytes`, once, and by the short gaps that the state had.
 */
int
freeze_move(const struct image_plan *plan, const char *name, uint64_t spare_bytes, bool advise_huge,
	    struct freeze_result *out)
{
	const uint64_t start_us = now_us();
	const uint64_t spare = (spare_bytes + IMAGE_HUGE_PAGE) & ~(IMAGE_HUGE_PAGE - 1);
	int fd = open_image(name);
	int error = 0;

	if (fd < 0)
		return errno;
	if (ftruncate(fd, (off_t)(plan->file_bytes + spare)) < 0)
		error = errno;
	if (error == 0)
		error = move_parts(fd, plan, advise_huge);
	if (error == 0)
		error = seal(fd, out);
	close(fd);
	out->us = now_us() - start_us;
	return error;
}
