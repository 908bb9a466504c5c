/*
 * Formats numbers with units. Pure.
 *
 * Runs in: zygotectl. The numbers come from the daemon, or from whoever listens on the socket: any
 * double is taken, and no more than size bytes are written.
 */
#include "zygotectl/unit.h"

#include <math.h>
#include <stdio.h>

struct step {
	double from; /* numbers below it use an earlier step */
	double divisor;
	const char *name;
};

static const struct step byte_steps[] = {
	{ 0, 1, "B" },
	{ 1024.0, 1024.0, "KiB" },
	{ 1048576.0, 1048576.0, "MiB" },
	{ 1073741824.0, 1073741824.0, "GiB" },
	{ 1099511627776.0, 1099511627776.0, "TiB" },
};

static const struct step us_steps[] = {
	{ 0, 1, "us" },
	{ 1e3, 1e3, "ms" },
	{ 1e6, 1e6, "s" },
};

#define STEPS(table) (sizeof(table) / sizeof((table)[0]))

/* The base unit is whole; the others have a decimal place. */
static void
format_steps(const struct step *steps, size_t count, double number, char *out, size_t size)
{
	size_t i = count - 1;

	while (i > 0 && fabs(number) < steps[i].from)
		i--;
	snprintf(out, size, "%.*f %s", i == 0 ? 0 : 1, number / steps[i].divisor, steps[i].name);
}

static void
format_seconds(double seconds, char *out, size_t size)
{
	if (!(seconds >= 60 && seconds < 1e15)) {
		if (fabs(seconds) < 1)
			snprintf(out, size, "%.0f ms", seconds * 1e3);
		else
			snprintf(out, size, "%.1f s", seconds);
		return;
	}
	unsigned long long whole = (unsigned long long)seconds;

	if (whole < 3600)
		snprintf(out, size, "%llum %02llus", whole / 60, whole % 60);
	else if (whole < 86400)
		snprintf(out, size, "%lluh %02llum", whole / 3600, whole / 60 % 60);
	else
		snprintf(out, size, "%llud %02lluh", whole / 86400, whole / 3600 % 24);
}

char *
unit_format(enum unit unit, double number, char *out, size_t size)
{
	switch (unit) {
	case UNIT_BYTES:
		format_steps(byte_steps, STEPS(byte_steps), number, out, size);
		break;
	case UNIT_US:
		format_steps(us_steps, STEPS(us_steps), number, out, size);
		break;
	case UNIT_SECONDS:
		format_seconds(number, out, size);
		break;
	case UNIT_PERCENT:
		snprintf(out, size, "%.1f %%", number);
		break;
	case UNIT_TEXT:
	case UNIT_COUNT:
	case UNIT_MAX:
		snprintf(out, size, "%.0f", number);
		break;
	}
	return out;
}
