/*
 * Decides between a frozen image and plain inheritance.
 *
 * Runs in: zygote, in its lock-down. A state beyond TRIAL_BYTES is frozen without a trial: fork's cost for inherited memory
 * grows with its size (20 to 40 us for each MiB), that of a frozen image does not.
 */
#include "image.h"

#include "aside.h"
#include "failure.h"
#include "freeze.h"
#include "image_plan.h"
#include "title.h"
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#define TRIAL_BYTES (64ull << 20)
#define SHMEM_HUGE  "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* Memory under a sanitizer is not what it looks like, and it is used in the middle of a move. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/*
 * "always within_size [advise] never": the value in force is in brackets. Only "advise" needs advice; the kernel's
 * Documentation/admin-guide/mm/transhuge.rst.
 */
static bool
wants_advice(void)
{
	char text[128] = "";
	int fd = open(SHMEM_HUGE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 && strstr(text, "[advise]") != NULL;
}

static void
close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
image_prepare(const struct heritage_zygote *heritage, const void *stack, struct image_source *out)
{
	*out = (struct image_source){ .smaps_fd = -1, .pagemap_fd = -1 };
	malloc_trim(0);
	if (IS_SANITIZED)
		return;
	out->is_title_moved = title_move(stack);
	out->smaps_fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	if (heritage->image == IMAGE_WANT_INHERITED)
		return;
	if (out->smaps_fd >= 0)
		out->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (out->pagemap_fd < 0)
		out->error = errno;
	out->advise_huge = wants_advice();
}

/* What cannot be done: a reason to go without where the choice is ours, and to end where it is not. */
static void
give_up(const struct heritage_zygote *heritage, int error, struct msg_image *out)
{
	if (heritage->image == IMAGE_WANT_FROZEN)
		zygote_fail(ZY_EXIT_FREEZE, error,
			    "the state cannot be frozen here; set image = inherited");
	out->why = IMAGE_WHY_UNAVAILABLE;
	out->error = error;
}

/* Whether it is to be frozen; the reason either way. */
static bool
is_to_freeze(const struct heritage_zygote *heritage, const struct image_plan *plan,
	     struct msg_image *out)
{
	struct trial_result trial = { 0, 0 };
	int error;

	if (heritage->image == IMAGE_WANT_FROZEN) {
		out->why = IMAGE_WHY_CONFIGURED;
		return true;
	}
	if (plan->state_bytes == 0) {
		out->why = IMAGE_WHY_SMALL;
		return false;
	}
	if (plan->state_bytes > TRIAL_BYTES) {
		out->why = IMAGE_WHY_LARGE;
		return true;
	}
	error = trial_run(plan, &trial);
	if (error != 0) {
		give_up(heritage, error, out);
		return false;
	}
	out->why = IMAGE_WHY_MEASURED;
	out->trial_frozen_us = trial.frozen_us;
	out->trial_inherited_us = trial.inherited_us;
	return trial.frozen_us < trial.inherited_us;
}

static void
freeze(const struct heritage_zygote *heritage, const struct image_source *source,
       const struct image_plan *plan, struct msg_image *out)
{
	struct freeze_result result = { 0, 0 };
	int error = freeze_move(plan, FREEZE_NAME, heritage->memory_bytes, source->advise_huge,
				&result);

	if (error != 0)
		zygote_fail(
			ZY_EXIT_FREEZE, error,
			"the state (%llu bytes) could not be frozen; is there memory for 64 MiB "
			"more than it? image = inherited needs none",
			(unsigned long long)plan->state_bytes);
	out->kind = IMAGE_FROZEN;
	out->mappings = plan->mappings;
	out->image_bytes = result.image_bytes;
	out->freeze_us = result.us;
}

void
image_make(const struct heritage_zygote *heritage, struct image_source *source,
	   struct msg_image *out)
{
	*out = (struct msg_image){ .kind = IMAGE_INHERITED, .why = IMAGE_WHY_CONFIGURED };
	if (heritage->image == IMAGE_WANT_INHERITED)
		return;
	struct image_plan *plan = NULL;
	if (IS_SANITIZED)
		source->error = EOPNOTSUPP;
	else if (source->error == 0 &&
		 (plan = image_plan_new(source->smaps_fd, source->pagemap_fd)) == NULL)
		source->error = errno;
	close_file(&source->pagemap_fd);
	if (plan == NULL) {
		give_up(heritage, source->error, out);
		return;
	}
	out->left_bytes = plan->left_bytes;
	if (is_to_freeze(heritage, plan, out))
		freeze(heritage, source, plan, out);
	image_plan_free(plan);
}

/* Where /proc cannot be read it stays where it is: that only takes time. */
struct aside *
image_look_aside(struct image_source *source, const struct zy_worker *worker)
{
	struct aside *aside = NULL;

	if (source->smaps_fd >= 0) {
		aside = aside_new(source->smaps_fd, worker, source->is_title_moved);
		if (aside == NULL)
			zygote_fail(ZY_EXIT_FREEZE, errno,
				    "the variables of libraries could not be looked for");
	}
	close_file(&source->smaps_fd);
	return aside;
}
