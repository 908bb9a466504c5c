/*
 * The doctor's report: a table for people, who may be new to all of it, and JSON.
 *
 * Runs in: doctor.
 */
#include "doctor/report.h"

#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#define LINE_MAX_WIDTH 96
#define INDENT	       4

static const char *const verdicts[] = {
	[VERDICT_NONE] = "?",	 [VERDICT_HOLDS] = "holds",	      [VERDICT_FAILS] = "FAILS",
	[VERDICT_MISSING] = "?", [VERDICT_UNTRIED] = "not available",
};
_Static_assert(sizeof(verdicts) / sizeof(verdicts[0]) == VERDICT_MAX, "every verdict has a name");

static const char *const verdicts_json[] = {
	[VERDICT_NONE] = "?",	 [VERDICT_HOLDS] = "holds",	      [VERDICT_FAILS] = "fails",
	[VERDICT_MISSING] = "?", [VERDICT_UNTRIED] = "not-available",
};
_Static_assert(sizeof(verdicts_json) / sizeof(verdicts_json[0]) == VERDICT_MAX,
	       "every verdict has a name");

static const char *const reliances[] = {
	[RELIANCE_NO] = "no",
	[RELIANCE_PRESENT] = "if there",
	[RELIANCE_YES] = "yes",
};
_Static_assert(sizeof(reliances) / sizeof(reliances[0]) == RELIANCE_MAX,
	       "every reliance has a name");

size_t
report_count(const struct report *report, enum verdict verdict, bool relied_on)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += report->results[i].finding.verdict == verdict &&
			 (!relied_on || report->results[i].experiment->reliance != RELIANCE_NO);
	return count;
}

/* ---- for people ---- */

/* Words, broken into indented lines, after a label. */
static void
print_wrapped(const char *label, const char *text, FILE *out)
{
	int column = fprintf(out, "%*s%-9s", INDENT, "", label);

	while (*text != '\0') {
		const int length = (int)strcspn(text, " ");
		if (column + 1 + length > LINE_MAX_WIDTH)
			column = fprintf(out, "\n%*s", INDENT + 9, "") - 1;
		column += fprintf(out, " %.*s", length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void
print_result(const struct result *result, FILE *out)
{
	const struct experiment *experiment = result->experiment;

	fprintf(out, "%-13s  %-9s  %s\n", verdicts[result->finding.verdict],
		reliances[experiment->reliance], experiment->name);
	print_wrapped("done", experiment->done, out);
	print_wrapped("expected", experiment->expected, out);
	print_wrapped("measured", result->finding.measured, out);
}

static void
print_head(const struct report *report, FILE *out)
{
	struct utsname name = { 0 };

	uname(&name);
	fprintf(out, "zygoted " ZYGOTED_VERSION " on %s %s %s; the unprivileged user is %s.\n",
		name.sysname, name.release, name.machine, report->user);
	fputs("What the daemon rests on, tried out. Relied on: yes, it cannot do without; if "
	      "there, it\n"
	      "is used and has to work then; no, shown for contrast.\n",
	      out);
}

static void
print_summary(const struct report *report, FILE *out)
{
	const size_t failed = report_count(report, VERDICT_FAILS, true);

	fprintf(out, "\n%zu hold, %zu fail, %zu are not available.\n",
		report_count(report, VERDICT_HOLDS, false),
		report_count(report, VERDICT_FAILS, false),
		report_count(report, VERDICT_UNTRIED, false));
	if (failed == 0)
		fputs("Nothing fails that the daemon relies on.\n", out);
	else
		fprintf(out, "%zu of those that fail %s relied on: do not run the daemon here.\n",
			failed, failed == 1 ? "is" : "are");
}

static int
flush(FILE *out)
{
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

int
report_print_table(const struct report *report, FILE *out)
{
	const char *group = NULL;

	print_head(report, out);
	for (size_t i = 0; i < report->count; i++) {
		const struct result *result = &report->results[i];
		if (result->group != group)
			fprintf(out, "\n%-13s  %-9s  %s\n", "VERDICT", "RELIED ON", result->group);
		group = result->group;
		print_result(result, out);
	}
	print_summary(report, out);
	return flush(out);
}

/* ---- for programs ---- */

static json_t *
pack_figures(const struct finding *finding)
{
	json_t *figures = json_object();

	for (uint32_t i = 0; i < finding->figures_count; i++)
		if (json_object_set_new(figures, finding->figures[i].name,
					json_integer(finding->figures[i].value)) < 0) {
			json_decref(figures);
			return NULL;
		}
	return figures;
}

/* Texts are ASCII, so nothing but want of memory makes this fail. */
static json_t *
pack_result(const struct result *result)
{
	const struct experiment *experiment = result->experiment;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", experiment->name,
			 "group", result->group, "done", experiment->done, "expected",
			 experiment->expected, "measured", result->finding.measured, "verdict",
			 verdicts_json[result->finding.verdict], "relied_on",
			 reliances[experiment->reliance], "figures",
			 pack_figures(&result->finding));
}

static json_t *
pack_report(const struct report *report)
{
	struct utsname name = { 0 };
	json_t *results = json_array();

	uname(&name);
	for (size_t i = 0; i < report->count; i++)
		if (json_array_append_new(results, pack_result(&report->results[i])) < 0) {
			json_decref(results);
			return NULL;
		}
	return json_pack("{s:b, s:s, s:s, s:s, s:o}", "ok",
			 report_count(report, VERDICT_FAILS, true) == 0, "version", ZYGOTED_VERSION,
			 "kernel", name.release, "user", report->user, "experiments", results);
}

int
report_print_json(const struct report *report, FILE *out)
{
	json_t *json = pack_report(report);

	if (json == NULL)
		return -1;
	const int result = json_dumpf(json, out, JSON_COMPACT);
	json_decref(json);
	fputc('\n', out);
	return result < 0 ? -1 : flush(out);
}
