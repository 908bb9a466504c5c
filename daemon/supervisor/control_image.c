/*
 * What became of a pool's state at load.
 *
 * Runs in: supervisor. The figures are the zygote's, from before its lock-down was complete.
 */
#include "supervisor/control_image.h"

#include <string.h>

#include "supervisor/config.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

static void
set_number(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name,
			    json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

static void
set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_string(text));
}

void
control_image_add(json_t *object, const struct zygote_generation *generation)
{
	static const struct msg_image none;
	const bool loaded = generation != NULL && generation->ready_ms != 0;
	const struct msg_image *image = loaded ? &generation->ready.image : &none;

	set_text(object, "image",
		 loaded ? proto_image_kind_name((enum image_kind)image->kind) : "");
	set_text(object, "image_reason",
		 loaded ? proto_image_why_name((enum image_why)image->why) : "");
	set_number(object, "image_bytes", image->image_bytes);
	set_number(object, "image_mappings", image->mappings);
	set_number(object, "image_left_bytes", image->left_bytes);
	json_object_set_new(object, "freeze_seconds", json_real((double)image->freeze_us / 1e6));
	set_number(object, "trial_frozen_us", image->trial_frozen_us);
	set_number(object, "trial_inherited_us", image->trial_inherited_us);
	set_text(object, "image_error", image->error != 0 ? strerror(image->error) : "");
}

json_t *
control_image_list(const struct supervisor *supervisor)
{
	json_t *list = json_array();

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		if (pool->serving == NULL)
			continue;
		json_t *object = json_object();
		set_text(object, "pool", pool->config->front.name);
		set_number(object, "state_bytes", pool->serving->ready.state_bytes);
		control_image_add(object, pool->serving);
		json_array_append_new(list, object);
	}
	return list;
}
