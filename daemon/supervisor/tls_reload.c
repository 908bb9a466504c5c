/*
 * Certificates again: the new ones are checked before the front hears of them, and the supervisor
 * holds on to the old ones until the front has said that it uses the new.
 *
 * Runs in: supervisor.
 */
#include "supervisor/tls_reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/config_errors.h"
#include "supervisor/front_ask.h"
#include "supervisor/fronts.h"
#include "supervisor/supervisor.h"
#include "supervisor/tls_files.h"

#define REASON_MAX (HERITAGE_PATH_MAX + PROTO_TEXT_MAX + 64)

struct reload {
	struct supervisor *supervisor;
	struct tls_files *fresh;
	tls_reloaded_fn *done;
	void *owner;
};

static void
finish(struct reload *reload, const char *error)
{
	struct supervisor *supervisor = reload->supervisor;

	if (error != NULL) {
		log_event(LOG_ERROR, "certificates not reloaded", "reason=\"%s\"", error);
		tls_files_free(reload->fresh);
	} else {
		tls_files_free(supervisor->tls);
		supervisor->tls = reload->fresh;
		log_event(LOG_INFO, "certificates reloaded", "count=%u",
			  supervisor->tls->certificates);
		for (unsigned i = 0; i < supervisor->tls->notes_count; i++)
			log_event(LOG_WARNING, "notice", "text=\"%s\"", supervisor->tls->notes[i]);
	}
	reload->done(reload->owner, error, supervisor->tls);
	free(reload);
}

static void
on_answer(void *owner, const struct front_answer *answer)
{
	finish(owner, answer->error);
}

static void
hand_over(struct reload *reload)
{
	const struct tls_files *fresh = reload->fresh;

	/* One that starts has the old bundle: it must be asked when it is ready. */
	if (fronts_are_gone(reload->supervisor))
		finish(reload, NULL);
	else
		front_ask_tls(reload->supervisor->asks, fresh->fd, fresh->bytes, on_answer, reload);
}

/* The first of them, as in the output of -t. */
static char *
format_errors(const struct config *config, const struct config_errors *errors, char *out,
	      size_t size)
{
	const char *more = errors->count > 1 ? " (and more: see zygoted -t)" : "";

	snprintf(out, size, "%s:%u: %s%s", config->file, errors->items[0].line,
		 errors->items[0].text, more);
	return out;
}

static bool
read_files(struct reload *reload, char *reason, size_t size)
{
	const struct config *config = reload->supervisor->config;
	struct config_errors *errors = calloc(1, sizeof(*errors));
	bool read = errors != NULL && tls_files_read(config, errors, &reload->fresh) == 0;

	if (errors == NULL)
		snprintf(reason, size, "out of memory");
	else if (!read)
		format_errors(config, errors, reason, size);
	free(errors);
	return read;
}

void
tls_reload(struct supervisor *supervisor, tls_reloaded_fn *done, void *owner)
{
	struct reload *reload = calloc(1, sizeof(*reload));
	char reason[REASON_MAX];

	if (reload == NULL) {
		done(owner, "out of memory", supervisor->tls);
		return;
	}
	*reload = (struct reload){ .supervisor = supervisor, .done = done, .owner = owner };
	if (!read_files(reload, reason, sizeof(reason))) {
		finish(reload, reason);
	} else if (reload->fresh == NULL) {
		done(owner, NULL, NULL); /* no listener speaks TLS */
		free(reload);
	} else {
		hand_over(reload);
	}
}
