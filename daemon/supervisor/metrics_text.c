/*
 * Prometheus text format and OpenMetrics.
 *
 * Runs in: supervisor. Sources: prometheus.io/docs/instrumenting/exposition_formats (0.0.4) and the
 * OpenMetrics 1.0 specification. They differ in whose name stands in the comments of a counter, in
 * units, in escapes of help texts, and in the end.
 */
#include "supervisor/metrics_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const char *const type_names[] = {
	[METRIC_GAUGE] = "gauge",
	[METRIC_COUNTER] = "counter",
	[METRIC_HISTOGRAM] = "histogram",
};
_Static_assert(sizeof(type_names) / sizeof(type_names[0]) == METRIC_TYPE_MAX, "metric types");

/* A quote is escaped in label values everywhere, in help texts of OpenMetrics alone. */
static void
put_escaped(const char *text, bool quote, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || (quote && *text == '"'))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void
put_comment(const struct metrics_writer *writer, const char *word, const char *text)
{
	const struct metrics_family *family = writer->family;
	const bool is_open = writer->format == METRICS_OPENMETRICS;
	const char *total = family->type == METRIC_COUNTER && !is_open ? "_total" : "";

	fprintf(writer->out, "# %s %s%s ", word, family->name, total);
	put_escaped(text, is_open, writer->out);
	fputc('\n', writer->out);
}

void
metrics_text_begin(struct metrics_writer *writer, const struct metrics_family *family)
{
	writer->family = family;
	put_comment(writer, "HELP", family->help);
	put_comment(writer, "TYPE", type_names[family->type]);
	if (writer->format == METRICS_OPENMETRICS && family->unit[0] != '\0')
		put_comment(writer, "UNIT", family->unit);
}

static void
put_number(uint64_t value, uint32_t divisor, FILE *out)
{
	const int decimals = divisor == 1000000 ? 6 : 3;

	if (divisor == 1)
		fprintf(out, "%" PRIu64, value);
	else
		fprintf(out, "%" PRIu64 ".%0*" PRIu64, value / divisor, decimals, value % divisor);
}

/* `le` is a histogram's own label; NULL: none. */
static void
put_name(const struct metrics_writer *writer, const char *suffix,
	 const struct metrics_label *labels, const char *le)
{
	const char *before = "{";

	fprintf(writer->out, "%s%s", writer->family->name, suffix);
	for (int i = 0; i < METRICS_LABELS_MAX && labels[i].name != NULL; i++) {
		fprintf(writer->out, "%s%s=\"", before, labels[i].name);
		put_escaped(labels[i].value, true, writer->out);
		fputc('"', writer->out);
		before = ",";
	}
	if (le != NULL) {
		fprintf(writer->out, "%sle=\"%s\"", before, le);
		before = ",";
	}
	fputs(before[0] == ',' ? "} " : " ", writer->out);
}

static void
put_sample(const struct metrics_writer *writer, const char *suffix,
	   const struct metrics_label *labels, uint64_t value, uint32_t divisor)
{
	put_name(writer, suffix, labels, NULL);
	put_number(value, divisor, writer->out);
	fputc('\n', writer->out);
}

void
metrics_text_value(struct metrics_writer *writer, const struct metrics_label *labels,
		   uint64_t value, uint32_t divisor)
{
	put_sample(writer, writer->family->type == METRIC_COUNTER ? "_total" : "", labels, value,
		   divisor);
}

/* The shortest decimal with a point: "0.00005", "1.0". Both formats get the same, since the text is
 * what makes two series one. */
static const char *
format_bound(uint64_t bound_us, char *out, size_t size)
{
	size_t length;

	if (bound_us == UINT64_MAX)
		return "+Inf";
	snprintf(out, size, "%" PRIu64 ".%06" PRIu64, bound_us / 1000000, bound_us % 1000000);
	length = strlen(out);
	while (out[length - 1] == '0' && out[length - 2] != '.')
		out[--length] = '\0';
	return out;
}

void
metrics_text_histogram(struct metrics_writer *writer, const struct metrics_label *labels,
		       const struct histogram *histogram, uint64_t sum_us)
{
	char bound[32];
	uint64_t count = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += histogram->counts[i];
		put_name(writer, "_bucket", labels,
			 format_bound(histogram_bound_us(i), bound, sizeof(bound)));
		fprintf(writer->out, "%" PRIu64 "\n", count);
	}
	put_sample(writer, "_sum", labels, sum_us, 1000000);
	put_sample(writer, "_count", labels, count, 1);
}

void
metrics_text_end(struct metrics_writer *writer)
{
	if (writer->format == METRICS_OPENMETRICS)
		fputs("# EOF\n", writer->out);
}
