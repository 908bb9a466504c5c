/*
 * A worker for tests: its state has every kind of memory that a worker's may have. Answers tell what is in it, never where,
 * so that they are the same whatever the zygote made of it.
 *
 * Runs in: zygote (load), child. Never installed.
 */
#include "worker.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE  4096ul
#define KIB   1024ul
#define MIB   (1024 * KIB)
#define SMALL 40000

/* ---- the patterns: each is a block, filled in load, looked at and written to in children ---- */

struct block {
	char *at;
	size_t size;
	int is_read_only;
};

static struct block blocks[24];
static char *small[SMALL];
static char large_bss[MIB];
static char large_data[MIB] = { 'd' };
static struct block ballast;
static char *guarded, *read_only, *growing;

static size_t
small_size(size_t index)
{
	return 16 + index * 37 % 300;
}

/* Some of it, page by page: what stays zero has to be zero. `every` counts pages. */
static void
fill(char *at, size_t size, size_t every, unsigned seed)
{
	for (size_t page = 0; page * PAGE < size; page += every)
		for (size_t i = page * PAGE; i < (page + 1) * PAGE && i < size; i++)
			at[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
}

static char *
map(size_t size, int flags)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static char *
allocate_realloced(size_t size)
{
	char *at = malloc(MIB);

	if (at == NULL)
		return NULL;
	memset(at, 'r', MIB);
	return realloc(at, size);
}

static char *
allocate_huge(size_t size)
{
	char *at = aligned_alloc(2 * MIB, size);

	if (at != NULL)
		(void)madvise(at, size, MADV_HUGEPAGE);
	return at;
}

static char *
make_block(unsigned kind, size_t size)
{
	switch (kind) {
	case 0:
		return malloc(size);
	case 1:
		return map(size, MAP_PRIVATE);
	case 2:
		return allocate_realloced(size);
	case 3:
		return aligned_alloc(64 * KIB, size);
	case 4:
		return allocate_huge(size);
	case 5:
		return calloc(1, size);
	case 6:
		return map(size, MAP_PRIVATE | MAP_NORESERVE);
	default:
		return map(size, MAP_SHARED);
	}
}

static const struct {
	unsigned kind;
	size_t size;
	size_t every; /* page that is filled */
} patterns[] = {
	{ 0, 100 * KIB, 1 },	  { 0, 3 * MIB, 1 },	 { 1, 5 * MIB, 1 },
	{ 1, 5 * MIB + PAGE, 2 }, { 2, 9 * MIB, 1 },	 { 3, 256 * KIB, 1 },
	{ 3, 4 * MIB, 3 },	  { 4, 8 * MIB, 1 },	 { 4, 8 * MIB, 600 },
	{ 5, 4 * MIB, 100 },	  { 5, 4 * MIB, 10000 }, { 6, 8192 * MIB, 400000 },
	{ 6, 64 * MIB, 5000 },	  { 7, 2 * MIB, 1 },
};

#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static int
make_patterns(void)
{
	for (size_t i = 0; i < PATTERNS; i++) {
		blocks[i].size = patterns[i].size;
		blocks[i].at = make_block(patterns[i].kind, patterns[i].size);
		if (blocks[i].at == NULL)
			return -1;
		fill(blocks[i].at, blocks[i].size, patterns[i].every, (unsigned)i + 1);
	}
	for (size_t i = 0; i < SMALL; i++) {
		small[i] = malloc(small_size(i));
		if (small[i] == NULL)
			return -1;
		memset(small[i], (int)i, small_size(i));
		if (i % 3 == 2) { /* some of them go, and leave gaps */
			free(small[i - 1]);
			small[i - 1] = NULL;
		}
	}
	return 0;
}

/* Read-only, written with zeros, with a guard page inside, and this object's own data. */
static int
make_special(void)
{
	read_only = map(2 * MIB, MAP_PRIVATE);
	guarded = map(4 * MIB, MAP_PRIVATE);
	growing = malloc(6 * MIB);
	char *zeros = malloc(2 * MIB);
	if (read_only == NULL || guarded == NULL || growing == NULL || zeros == NULL)
		return -1;
	fill(read_only, 2 * MIB, 1, 77);
	fill(guarded, 4 * MIB, 1, 78);
	fill(growing, 6 * MIB, 1, 79);
	fill(large_bss, sizeof(large_bss), 1, 80);
	fill(large_data, sizeof(large_data), 2, 81);
	memset(zeros, 0, 2 * MIB);
	blocks[PATTERNS] = (struct block){ read_only, 2 * MIB, 1 };
	blocks[PATTERNS + 1] = (struct block){ guarded, 2 * MIB, 0 };
	blocks[PATTERNS + 2] = (struct block){ guarded + 2 * MIB + PAGE, 2 * MIB - PAGE, 0 };
	blocks[PATTERNS + 3] = (struct block){ growing, 6 * MIB, 0 };
	blocks[PATTERNS + 4] = (struct block){ zeros, 2 * MIB, 0 };
	blocks[PATTERNS + 5] = (struct block){ large_bss, sizeof(large_bss), 0 };
	blocks[PATTERNS + 6] = (struct block){ large_data, sizeof(large_data), 0 };
	return mprotect(read_only, 2 * MIB, PROT_READ) < 0 ||
			       mprotect(guarded + 2 * MIB, PAGE, PROT_NONE) < 0
		       ? -1
		       : 0;
}

static int
load_image(const struct zy_load *load, void **state_out)
{
	const char *size = zy_option(load, "ballast", 0);

	*state_out = NULL;
	if (size != NULL) {
		ballast.size = strtoull(size, NULL, 10);
		if ((ballast.at = malloc(ballast.size)) == NULL)
			return zy_load_error(load, "no memory for the ballast");
		memset(ballast.at, 1, ballast.size);
		return 0;
	}
	return make_patterns() < 0 || make_special() < 0 ? zy_load_error(load, "no memory") : 0;
}

/* ---- what children do ---- */

/* Of 1 in 64 pages of what is mostly empty: all of 8 GiB would take seconds. */
static size_t
stride_of(const struct block *block)
{
	return block->size > 32 * MIB ? 64 * PAGE : PAGE;
}

static uint64_t
digest_of(const struct block *block)
{
	uint64_t sum = 14695981039346656037u; /* FNV-1a */

	for (size_t page = 0; page < block->size; page += stride_of(block))
		for (size_t i = page; i < page + PAGE && i < block->size; i++)
			sum = (sum ^ (unsigned char)block->at[i]) * 1099511628211u;
	return sum;
}

static int
do_digest(struct zy_request *request, const char *argument)
{
	uint64_t sum = 0;

	(void)argument;
	for (size_t i = 0; i < SMALL; i++)
		for (size_t j = 0; small[i] != NULL && j < small_size(i); j++)
			sum = sum * 31 + (unsigned char)small[i][j];
	zy_printf(request, "small %llx\n", (unsigned long long)sum);
	for (size_t i = 0; blocks[i].at != NULL; i++)
		zy_printf(request, "%zu %llx\n", i, (unsigned long long)digest_of(&blocks[i]));
	return 0;
}

/* Each page of the smaller ones, then what is in them. */
static int
do_write(struct zy_request *request, const char *argument)
{
	for (size_t i = 0; blocks[i].at != NULL; i++)
		for (size_t at = 0; blocks[i].size <= 32 * MIB && at < blocks[i].size; at += PAGE)
			if (!blocks[i].is_read_only && i != PATTERNS - 1)
				blocks[i].at[at]++;
	for (size_t i = 0; i < SMALL; i++)
		if (small[i] != NULL)
			small[i][0]++;
	return do_digest(request, argument);
}

/* Blocks so small that they come out of the heap, more of them than it has room for. */
static int
do_heap(struct zy_request *request, const char *argument)
{
	const char *end = sbrk(0);
	unsigned long bad = 0;

	(void)argument;
	for (int i = 0; i < 20000; i++) {
		char *block = calloc(1, 1000);
		if (block == NULL)
			return -1;
		for (int j = 0; j < 1000; j++)
			bad += block[j] != 0;
		memset(block, 0xee, 1000);
	}
	return zy_printf(request, "heap %s, %lu bytes not zero\n",
			 (const char *)sbrk(0) > end + MIB ? "grew" : "stayed", bad);
}

/* Frees what load made, small and large, and allocates again. */
static int
do_free(struct zy_request *request, const char *argument)
{
	unsigned long bad = 0;

	(void)argument;
	for (size_t i = 0; i < SMALL; i += 2)
		free(small[i]);
	free(blocks[1].at);
	free(blocks[4].at);
	for (int i = 0; i < 20; i++) {
		const size_t size = (size_t)(i + 1) * 50 * KIB;
		char *block = calloc(1, size);
		if (block == NULL)
			return -1;
		for (size_t j = 0; j < size; j++)
			bad += block[j] != 0;
		memset(block, 0xee, size);
	}
	return zy_printf(request, "%lu bytes not zero\n", bad);
}

/* realloc of a mapped block: the C library asks the kernel to lengthen the mapping. */
static int
do_realloc(struct zy_request *request, const char *argument)
{
	static const size_t sizes[] = { 7 * MIB, 30 * MIB, 2 * MIB, 9 * MIB };
	char *at = growing;

	(void)argument;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		at = realloc(at, sizes[i]);
		if (at == NULL)
			return -1;
		memset(at + 2 * MIB, 'x', sizes[i] - 2 * MIB);
		const struct block block = { at, 2 * MIB, 0 };
		zy_printf(request, "%zu %llx\n", sizes[i], (unsigned long long)digest_of(&block));
	}
	return 0;
}

static int
do_guard(struct zy_request *request, const char *argument)
{
	(void)argument;
	guarded[2 * MIB] = 1;
	return zy_printf(request, "written\n");
}

static int
do_forbidden(struct zy_request *request, const char *argument)
{
	(void)argument;
	read_only[MIB] = 1;
	return zy_printf(request, "written\n");
}

static void
sleep_ms(unsigned long ms)
{
	const struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

/* read/MS and copy/MS: all of the ballast, then waits. */
static int
do_read(struct zy_request *request, const char *argument)
{
	unsigned long sum = 0;

	for (size_t at = 0; at < ballast.size; at += PAGE)
		sum += (unsigned char)ballast.at[at];
	sleep_ms(strtoul(argument, NULL, 10));
	return zy_printf(request, "read %lu\n", sum);
}

static int
do_copy(struct zy_request *request, const char *argument)
{
	for (size_t at = 0; at < ballast.size; at += PAGE)
		ballast.at[at]++;
	sleep_ms(strtoul(argument, NULL, 10));
	return zy_printf(request, "copied\n");
}

/* What came on the process's first stack, and variables of libraries: read, then written. */
static int
do_environment(struct zy_request *request, const char *argument)
{
	const char *path = getenv("PATH");

	(void)argument;
	if (setenv("ZYGOTED_TEST", "set", 1) < 0)
		return -1;
	return zy_printf(request, "%s %lu %d %s %s\n", program_invocation_name,
			 getauxval(AT_PAGESZ), path != NULL, getenv("ZYGOTED_TEST"),
			 strerror(EBADF));
}

/* Kept from being a loop, or of a smaller frame, by what is done to it. */
static int __attribute__((noinline)) descend(unsigned long levels)
{
	volatile char frame[16 * KIB];

	frame[0] = (char)levels;
	return levels == 0 ? 0 : descend(levels - 1) + (frame[0] == (char)levels);
}

static int
do_descend(struct zy_request *request, const char *argument)
{
	return zy_printf(request, "%d\n", descend(strtoul(argument, NULL, 10)));
}

static int
handle_image(void *state, struct zy_request *request)
{
	static const struct {
		const char *name;
		int (*run)(struct zy_request *request, const char *argument);
	} deeds[] = {
		{ "digest", do_digest },       { "write", do_write },
		{ "heap", do_heap },	       { "free", do_free },
		{ "realloc", do_realloc },     { "guard", do_guard },
		{ "forbidden", do_forbidden }, { "read", do_read },
		{ "copy", do_copy },	       { "environment", do_environment },
		{ "descend", do_descend },
	};
	const char *rest = zy_field(request, ZY_REST);
	const size_t length = strcspn(rest, "/");

	(void)state;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strlen(deeds[i].name) == length && strncmp(rest, deeds[i].name, length) == 0)
			return deeds[i].run(request, rest + length + (rest[length] == '/'));
	return zy_status(request, 404);
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "image",
	.profile = "compute",
	.load = load_image,
	.handle = handle_image,
};
