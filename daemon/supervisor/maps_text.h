/*
 * The text of /proc/PID/maps as a list of mappings: proc_pid_maps(5). Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_MAPS_TEXT_H
#define ZYGOTED_SUPERVISOR_MAPS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPS_NAME_MAX 48

enum mapping_kind {
	MAPPING_FILE,	   /* program, libraries, whatever else has a name in a file system */
	MAPPING_DATA,	   /* the anonymous pages that follow a file's data: its .bss */
	MAPPING_IMAGE,	   /* the zygote's frozen memory */
	MAPPING_HEAP,	   /* brk */
	MAPPING_STACK,	   /* the process's first one */
	MAPPING_ANONYMOUS, /* mmap, large mallocs */
	MAPPING_KERNEL,	   /* vdso and the like: in every process, and nobody's */
	MAPPING_KIND_MAX
};

struct mapping {
	uint64_t start; /* addresses */
	uint64_t end;
	bool readable;
	bool writable;
	bool executable;
	bool is_shared; /* MAP_SHARED */
	enum mapping_kind kind;
	char name
		[MAPS_NAME_MAX]; /* last part of a file's path, printable ASCII; "" if there is none */
};

struct mappings {
	size_t count;
	struct mapping *list; /* by address */
};

/*
 * Reads the file's text (NUL-terminated). 0; or -1 with errno and an empty list: EPROTO when it is
 * malformed, ENOMEM. To be freed with mappings_free.
 */
int mappings_parse(const char *text, struct mappings *out) __attribute__((warn_unused_result));
void mappings_free(struct mappings *mappings);

#endif
