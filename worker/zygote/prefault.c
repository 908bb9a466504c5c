/*
 * Touches what requests of this pool mostly touch. A page costs less this way than by a fault of its own, and it costs it
 * while nobody waits.
 *
 * Runs in: zygote (prefault_map), child (prefault_run). Trusts the supervisor, who alone can write the table, and no
 * address in it: what is not mapped, or not so, the kernel refuses (MADV_POPULATE_* in madvise(2)), and then it is left.
 */
#include "prefault.h"

#include "base/prefault_table.h"
#include "failure.h"
#include "sys.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 4096l

const struct prefault_table *
prefault_map(const struct heritage_zygote *heritage)
{
	const void *table = NULL;

	if (heritage->prefaults != 0) {
		table = mmap(NULL, sizeof(struct prefault_table), PROT_READ, MAP_SHARED,
			     ZYGOTE_PREFAULT_FD, 0);
		if (table == MAP_FAILED)
			zygote_fail(ZY_EXIT_MEMORY, errno, "table of pages to touch beforehand");
	}
	close(ZYGOTE_PREFAULT_FD);
	return table;
}

void
prefault_run(const struct prefault_table *table)
{
	const uint32_t current = __atomic_load_n(&table->current, __ATOMIC_ACQUIRE);
	const struct prefault_side *side = &table->sides[current & 1];
	const uint32_t count = side->count < PREFAULT_RUNS_MAX ? side->count : PREFAULT_RUNS_MAX;

	for (uint32_t i = 0; i < count; i++) {
		const struct prefault_run *run = &side->runs[i];
		const int advice =
			run->access == PREFAULT_READ ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
		(void)sys_call(SYS_madvise, (long)run->address, run->pages * PAGE_BYTES, advice, 0);
	}
}
