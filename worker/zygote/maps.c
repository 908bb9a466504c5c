/*
 * Parser of /proc/PID/smaps, proc_pid_smaps(5): for each mapping a line as in /proc/PID/maps, then lines "Name: value".
 *
 * Runs in: zygote. The kernel wrote the text, but names in it are whatever a file or a worker is called: only a name that
 * the kernel gives, in brackets, means anything here. A line that is not understood is an error: a mapping that is
 * misread would be moved although it must not be.
 */
#include "maps.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

/* VmFlags of Documentation/filesystems/proc.rst; what has no row means nothing here. */
static const struct {
	const char *name;
	unsigned flag;
} vm_flags[] = {
	{ "dc", MAPS_NO_FORK },	  { "wf", MAPS_WIPED },	  { "lo", MAPS_LOCKED },
	{ "gd", MAPS_STACK },	  { "ss", MAPS_STACK },	  { "io", MAPS_SPECIAL },
	{ "pf", MAPS_SPECIAL },	  { "ht", MAPS_SPECIAL }, { "mm", MAPS_SPECIAL },
	{ "um", MAPS_SPECIAL },	  { "uw", MAPS_SPECIAL }, { "ui", MAPS_SPECIAL },
	{ "sl", MAPS_IMMOVABLE }, { "hg", MAPS_HUGE },	  { "sh", MAPS_SHARED },
};

static int
digit_value(char digit, unsigned base)
{
	int value = -1;

	if (digit >= '0' && digit <= '9')
		value = digit - '0';
	else if (digit >= 'a' && digit <= 'f')
		value = digit - 'a' + 10;
	return value < (int)base ? value : -1;
}

/* Digits up to `stop`, which is skipped; NULL when there are none, too many, or something else. */
static const char *
take_number(const char *at, unsigned base, char stop, uint64_t *out)
{
	const char *start = at;
	uint64_t value = 0;
	int digit;

	for (; (digit = digit_value(*at, base)) >= 0; at++) {
		if (value > (UINT64_MAX - (uint64_t)digit) / base)
			return NULL;
		value = value * base + (uint64_t)digit;
	}
	*out = value;
	return at > start && *at == stop ? at + 1 : NULL;
}

/* "rw-p ". */
static const char *
take_permissions(const char *at, struct maps_entry *entry)
{
	static const char letters[] = "rwx";
	static const int prots[] = { PROT_READ, PROT_WRITE, PROT_EXEC };

	for (int i = 0; i < 3; i++) {
		if (at[i] == letters[i])
			entry->prot |= prots[i];
		else if (at[i] != '-')
			return NULL;
	}
	if ((at[3] != 'p' && at[3] != 's') || at[4] != ' ')
		return NULL;
	entry->flags |= at[3] == 's' ? MAPS_SHARED : 0;
	return at + 5;
}

/* "7f00-7f10 rw-p 0000 00:1a 123    /path": inode and path may be the end of the line. */
static enum maps_line
parse_entry(const char *line, struct maps_entry *out)
{
	struct maps_entry entry = { .start = 0 };
	uint64_t ignored;
	const char *at = take_number(line, 16, '-', &entry.start);

	if (at == NULL || (at = take_number(at, 16, ' ', &entry.end)) == NULL ||
	    (at = take_permissions(at, &entry)) == NULL ||
	    (at = take_number(at, 16, ' ', &ignored)) == NULL ||
	    (at = take_number(at, 16, ':', &ignored)) == NULL ||
	    (at = take_number(at, 16, ' ', &ignored)) == NULL)
		return MAPS_LINE_BAD;
	const char *path = take_number(at, 10, ' ', &entry.inode);
	if (path == NULL && take_number(at, 10, '\0', &entry.inode) == NULL)
		return MAPS_LINE_BAD;
	if (entry.start >= entry.end)
		return MAPS_LINE_BAD;
	if (path != NULL) {
		path += strspn(path, " ");
		strncpy(entry.name, path, sizeof(entry.name) - 1);
	}
	*out = entry;
	return MAPS_LINE_ENTRY;
}

static enum maps_line
parse_flags(const char *words, struct maps_entry *entry)
{
	while (*words != '\0') {
		const size_t length = strcspn(words, " ");
		for (size_t i = 0; i < sizeof(vm_flags) / sizeof(vm_flags[0]); i++)
			if (length == 2 && strncmp(words, vm_flags[i].name, 2) == 0)
				entry->flags |= vm_flags[i].flag;
		words += length;
		words += strspn(words, " ");
	}
	return MAPS_LINE_DETAIL;
}

/* "Anonymous:  12 kB" and "Swap:  12 kB". */
static enum maps_line
add_kilobytes(const char *value, struct maps_entry *entry)
{
	uint64_t kilobytes;
	const char *unit = take_number(value, 10, ' ', &kilobytes);

	if (unit == NULL || strcmp(unit, "kB") != 0 || kilobytes > UINT64_MAX / 2048)
		return MAPS_LINE_BAD;
	entry->anonymous_bytes += kilobytes * 1024;
	return MAPS_LINE_DETAIL;
}

static enum maps_line
parse_key(const char *value, struct maps_entry *entry)
{
	uint64_t key;

	if (take_number(value, 10, '\0', &key) == NULL)
		return MAPS_LINE_BAD;
	entry->flags |= key != 0 ? MAPS_IMMOVABLE : 0;
	return MAPS_LINE_DETAIL;
}

static enum maps_line
parse_detail(const char *line, struct maps_entry *entry)
{
	static const struct {
		const char *name;
		enum maps_line (*parse)(const char *value, struct maps_entry *entry);
	} details[] = {
		{ "Anonymous", add_kilobytes },
		{ "Swap", add_kilobytes },
		{ "ProtectionKey", parse_key },
		{ "VmFlags", parse_flags },
	};
	const char *colon = strchr(line, ':');

	if (colon == NULL)
		return MAPS_LINE_BAD;
	const size_t length = (size_t)(colon - line);
	const char *value = colon + 1 + strspn(colon + 1, " ");
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (strlen(details[i].name) == length &&
		    strncmp(line, details[i].name, length) == 0)
			return details[i].parse(value, entry);
	return MAPS_LINE_DETAIL;
}

/* Addresses are in lower case, names of details begin with a capital. */
enum maps_line
maps_parse_line(const char *line, struct maps_entry *entry)
{
	return digit_value(line[0], 16) >= 0 ? parse_entry(line, entry) : parse_detail(line, entry);
}
