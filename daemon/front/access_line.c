/*
 * Lines of the access log.
 *
 * Runs in: front. Everything that a client wrote is escaped and cut here. A request's id is a token
 * and needs neither.
 */
#include "front/access_line.h"

#include <string.h>
#include <time.h>

/* The calendar is asked once a second. */
static const struct tm *
calendar(uint64_t us)
{
	static struct tm utc;
	static time_t made;
	const time_t seconds = (time_t)(us / 1000000);

	if (seconds != made || made == 0) {
		gmtime_r(&seconds, &utc);
		made = seconds;
	}
	return &utc;
}

/* RFC 3339, in UTC. */
static void
put_rfc3339(struct text_line *line, uint64_t us)
{
	const struct tm *utc = calendar(us);
	const struct {
		int number;
		unsigned width;
		const char *after;
	} parts[] = {
		{ utc->tm_year + 1900, 4, "-" }, { utc->tm_mon + 1, 2, "-" },
		{ utc->tm_mday, 2, "T" },	 { utc->tm_hour, 2, ":" },
		{ utc->tm_min, 2, ":" },	 { utc->tm_sec, 2, "." },
		{ (int)(us % 1000000), 6, "Z" },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		text_line_put_number(line, (uint64_t)parts[i].number, parts[i].width);
		text_line_put_string(line, parts[i].after);
	}
}

/* 10/Oct/2000:13:55:36 +0000; month names of strftime(3) would follow a locale. */
static void
put_clf_time(struct text_line *line, uint64_t us)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const struct tm *utc = calendar(us);

	text_line_put_number(line, (uint64_t)utc->tm_mday, 2);
	text_line_put_string(line, "/");
	text_line_put_string(line, months[utc->tm_mon]);
	text_line_put_string(line, "/");
	text_line_put_number(line, (uint64_t)utc->tm_year + 1900, 4);
	text_line_put_string(line, ":");
	text_line_put_number(line, (uint64_t)utc->tm_hour, 2);
	text_line_put_string(line, ":");
	text_line_put_number(line, (uint64_t)utc->tm_min, 2);
	text_line_put_string(line, ":");
	text_line_put_number(line, (uint64_t)utc->tm_sec, 2);
	text_line_put_string(line, " +0000");
}

/* ---- combined ---- */

static void
put_combined_request(struct text_line *line, const struct access_request *request)
{
	text_line_put_string(line, request->peer);
	text_line_put_string(line, " - - [");
	put_clf_time(line, request->begun_us);
	text_line_put_string(line, "] \"");
	if (request->method.length > 0) {
		text_line_put_escaped(line, request->method.text, request->method.length,
				      ACCESS_HEADER_SHOWN);
		text_line_put_string(line, " ");
		text_line_put_escaped(line, request->target.text, request->target.length,
				      ACCESS_TARGET_SHOWN);
		text_line_put_string(line, " ");
		text_line_put_string(line, request->protocol);
	} else {
		text_line_put_string(line, "-");
	}
	text_line_put_string(line, "\"");
}

static void
put_quoted(struct text_line *line, const struct access_text *text)
{
	text_line_put_string(line, " \"");
	if (text->length > 0)
		text_line_put_escaped(line, text->text, text->length, ACCESS_HEADER_SHOWN);
	else
		text_line_put_string(line, "-");
	text_line_put_string(line, "\"");
}

static void
put_combined_result(struct text_line *line, const struct access_result *result)
{
	text_line_put_string(line, " ");
	if (result->status != 0)
		text_line_put_number(line, result->status, 3);
	else
		text_line_put_string(line, "-");
	text_line_put_string(line, " ");
	text_line_put_number(line, result->bytes_out, 1);
}

/* ---- JSON ---- */

/* `key` with its punctuation: `,"status":`. */
static void
put_json_number(struct text_line *line, const char *key, uint64_t number)
{
	text_line_put_string(line, key);
	text_line_put_number(line, number, 1);
}

static void
put_json_text(struct text_line *line, const char *key, const char *text, size_t length, size_t most)
{
	text_line_put_string(line, key);
	text_line_put_string(line, "\"");
	text_line_put_json(line, text, length, most);
	text_line_put_string(line, "\"");
}

/* Of our own: needs no escape, but gets it. */
static void
put_json_string(struct text_line *line, const char *key, const char *text)
{
	put_json_text(line, key, text, strlen(text), ACCESS_HEADER_SHOWN);
}

static void
put_json_request(struct text_line *line, const struct access_request *request)
{
	text_line_put_string(line, "{\"time\":\"");
	put_rfc3339(line, request->begun_us);
	text_line_put_string(line, "\"");
	put_json_string(line, ",\"request\":", request->id);
	put_json_string(line, ",\"peer\":", request->peer);
	put_json_string(line, ",\"listener\":", request->listener);
	if (request->method.length == 0)
		return;
	put_json_text(line, ",\"method\":", request->method.text, request->method.length,
		      ACCESS_HEADER_SHOWN);
	put_json_text(line, ",\"target\":", request->target.text, request->target.length,
		      ACCESS_TARGET_SHOWN);
	put_json_string(line, ",\"protocol\":", request->protocol);
	put_json_text(line, ",\"referer\":", request->referer.text, request->referer.length,
		      ACCESS_HEADER_SHOWN);
	put_json_text(line, ",\"agent\":", request->agent.text, request->agent.length,
		      ACCESS_HEADER_SHOWN);
}

static void
put_json_result(struct text_line *line, const struct access_result *result)
{
	put_json_string(line, ",\"outcome\":", proto_outcome_name(result->outcome));
	if (result->outcome != OUTCOME_OK)
		put_json_string(line, ",\"reason\":",
				result->reason != NULL ? result->reason
						       : proto_outcome_text(result->outcome));
	if (result->status != 0)
		put_json_number(line, ",\"status\":", result->status);
	if (result->pool != NULL)
		put_json_string(line, ",\"pool\":", result->pool);
	if (result->generation != 0) {
		put_json_number(line, ",\"generation\":", result->generation);
		put_json_number(line, ",\"run_us\":", result->run_us);
	}
	put_json_number(line, ",\"queue_us\":", result->queue_us);
	put_json_number(line, ",\"total_us\":", result->total_us);
	put_json_number(line, ",\"bytes_in\":", result->bytes_in);
	put_json_number(line, ",\"bytes_out\":", result->bytes_out);
}

static void
put_json_child(struct text_line *line, const struct access_child *child)
{
	if (child->pid > 0) {
		put_json_number(line, ",\"child\":", (uint64_t)child->pid);
		put_json_number(line, ",\"fork_us\":", child->fork_us);
	}
	if (child->minor_faults != ACCESS_FAULTS_UNKNOWN)
		put_json_number(line, ",\"minor_faults\":", child->minor_faults);
}

/* ---- both ---- */

void
access_line_put_request(struct text_line *line, enum access_format format,
			const struct access_request *request)
{
	if (format == ACCESS_JSON)
		put_json_request(line, request);
	else
		put_combined_request(line, request);
}

void
access_line_put_client(struct text_line *line, enum access_format format,
		       const struct access_request *request)
{
	if (format == ACCESS_JSON)
		return;
	put_quoted(line, &request->referer);
	put_quoted(line, &request->agent);
}

void
access_line_put_result(struct text_line *line, enum access_format format,
		       const struct access_result *result)
{
	if (format == ACCESS_JSON)
		put_json_result(line, result);
	else
		put_combined_result(line, result);
}

void
access_line_end(struct text_line *line, enum access_format format, const struct access_child *child)
{
	if (format == ACCESS_JSON) {
		put_json_child(line, child);
		text_line_put_string(line, "}");
	}
	text_line_put_string(line, "\n");
}
