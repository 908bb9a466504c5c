/*
 * Writing status lines, dates and error answers. No I/O.
 *
 * Runs in: front. Nothing from a peer is echoed in an error answer.
 */
#include "front/response.h"

#include "front/http_reply.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* IMF-fixdate of RFC 9110 section 5.6.7, made once a second. */
static const char *
date_now(void)
{
	static char text[40];
	static time_t made;
	time_t now = time(NULL);
	struct tm utc;

	if (now != made) {
		gmtime_r(&now, &utc);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
		made = now;
	}
	return text;
}

int
response_add_status(struct evbuffer *out, int status)
{
	char line[128];
	int length = snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
			      http_status_phrase((unsigned)status), date_now());

	return evbuffer_add(out, line, (size_t)length);
}

int
response_add_request_id(struct evbuffer *out, const char *request_id)
{
	char line[REQUEST_ID_MAX + 32];
	int length = snprintf(line, sizeof(line), "X-Request-Id: %s\r\n", request_id);

	return evbuffer_add(out, line, (size_t)length);
}

int
response_add_connection(struct evbuffer *out, int minor, bool keep_alive)
{
	if (keep_alive && minor == 0)
		return evbuffer_add(out, "Connection: keep-alive\r\n", 24);
	if (!keep_alive && minor == 1)
		return evbuffer_add(out, "Connection: close\r\n", 19);
	return 0;
}

/* Names in X-Zygoted-Reason use '-', those in logs and metrics '_'. */
static void
reason_name(enum outcome outcome, char *out, size_t size)
{
	snprintf(out, size, "%s", proto_outcome_name(outcome));
	for (char *c = out; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
}

int
response_add_error(struct evbuffer *out, const struct response_error *error)
{
	int status = error->status != 0 ? error->status : proto_outcome_status(error->outcome);
	const char *text = error->text != NULL ? error->text : proto_outcome_text(error->outcome);
	char reason[32];
	char body[256];
	char retry[32] = "";
	char head[256];
	int body_length;
	int head_length;

	reason_name(error->outcome, reason, sizeof(reason));
	body_length = snprintf(body, sizeof(body), "%d %s: %s\n", status,
			       http_status_phrase((unsigned)status), text);
	if (error->retry_after > 0)
		snprintf(retry, sizeof(retry), "Retry-After: %u\r\n", error->retry_after);
	head_length = snprintf(head, sizeof(head),
			       "X-Zygoted-Reason: %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
			       "Content-Length: %d\r\n%s",
			       reason, body_length, retry);
	if (response_add_status(out, status) < 0 ||
	    response_add_request_id(out, error->request_id) < 0 ||
	    evbuffer_add(out, head, (size_t)head_length) < 0 ||
	    response_add_connection(out, error->minor, error->keep_alive) < 0 ||
	    evbuffer_add(out, "\r\n", 2) < 0)
		return -1;
	return error->head_method ? 0 : evbuffer_add(out, body, (size_t)body_length);
}
