/*
 * One entry of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst of the kernel. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_PAGE_ENTRY_H
#define ZYGOTED_SUPERVISOR_PAGE_ENTRY_H

#include <stdint.h>

enum page_state {
	PAGE_FILE,  /* of a file, of the frozen image, or of shared memory: not the process's own */
	PAGE_OWN,   /* anonymous, and no other process maps it */
	PAGE_JOINT, /* anonymous, mapped elsewhere too; or the kernel's page of zeros */
	PAGE_SWAPPED, /* whose it is the kernel does not say */
	PAGE_STATE_MAX,
	PAGE_ABSENT = PAGE_STATE_MAX
};

/*
 * Bits 63 present, 62 swapped, 61 of a file or shared, 56 mapped by one process alone. In a child,
 * which has no children itself, a page of its own is never mapped elsewhere; a page that it shares
 * looks like its own only if all others have let go of it: the zygote, too, would have had to write
 * to it after the fork.
 */
static inline enum page_state
page_entry_state(uint64_t entry)
{
	if ((entry & (UINT64_C(1) << 62)) != 0)
		return PAGE_SWAPPED;
	if ((entry & (UINT64_C(1) << 63)) == 0)
		return PAGE_ABSENT;
	if ((entry & (UINT64_C(1) << 61)) != 0)
		return PAGE_FILE;
	return (entry & (UINT64_C(1) << 56)) != 0 ? PAGE_OWN : PAGE_JOINT;
}

#endif
