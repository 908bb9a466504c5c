/*
 * The names that belong to the tables of proto.h. Pure.
 *
 * Runs in: every process.
 */
#include "base/proto.h"

#include <stddef.h>

static const struct {
	const char *name;
	int status;
	const char *text;
} outcomes[] = {
#define X(symbol, name, status, text) [OUTCOME_##symbol] = { name, status, text },
	PROTO_OUTCOMES(X)
#undef X
};

static const struct {
	const char *name;
	const char *text;
} layers[] = {
#define X(symbol, name, text) [LAYER_##symbol] = { name, text },
	PROTO_LAYERS(X)
#undef X
};

static const char *const child_states[] = {
	[CHILD_FREE] = "free", [CHILD_STARTING] = "starting", [CHILD_PARKED] = "parked",
	[CHILD_BUSY] = "busy", [CHILD_DYING] = "dying",
};

static const char *const breaker_states[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_PROBING] = "probing",
};

static const char *const recycles[] = {
#define X(symbol, name) [RECYCLE_##symbol] = (name),
	PROTO_RECYCLES(X)
#undef X
};

static const char *const image_kinds[] = {
	[IMAGE_INHERITED] = "inherited",
	[IMAGE_FROZEN] = "frozen",
};

static const char *const prefaults[] = {
#define X(symbol, name) [PREFAULT_##symbol] = (name),
	PROTO_PREFAULTS(X)
#undef X
};

static const char *const image_whys[] = {
#define X(symbol, name) [IMAGE_WHY_##symbol] = (name),
	PROTO_IMAGE_WHYS(X)
#undef X
};

static const char *const child_ends[] = {
#define X(symbol, name) [CHILD_END_##symbol] = (name),
	PROTO_CHILD_ENDS(X)
#undef X
};

static const char *const activities[] = {
#define X(symbol, name) [ACTIVITY_##symbol] = (name),
	PROTO_ACTIVITIES(X)
#undef X
};

static const struct {
	int code;
	const char *text;
} exits[] = {
#define X(symbol, code, text) { code, text },
	PROTO_EXITS(X)
#undef X
};

_Static_assert(sizeof(child_states) / sizeof(child_states[0]) == CHILD_STATE_MAX, "child states");
_Static_assert(sizeof(image_kinds) / sizeof(image_kinds[0]) == IMAGE_KIND_MAX, "kinds of images");
_Static_assert(sizeof(breaker_states) / sizeof(breaker_states[0]) == BREAKER_STATE_MAX,
	       "breaker states");

const char *
proto_outcome_name(enum outcome outcome)
{
	return (unsigned)outcome < OUTCOME_MAX ? outcomes[outcome].name : "?";
}

int
proto_outcome_status(enum outcome outcome)
{
	return (unsigned)outcome < OUTCOME_MAX ? outcomes[outcome].status : 500;
}

int
proto_outcome_is_refusal(enum outcome outcome)
{
	const int status = proto_outcome_status(outcome);

	return status != 0 && (status < 500 || status == 503);
}

const char *
proto_outcome_text(enum outcome outcome)
{
	return (unsigned)outcome < OUTCOME_MAX ? outcomes[outcome].text : "?";
}

const char *
proto_layer_name(enum layer layer)
{
	return (unsigned)layer < LAYER_MAX ? layers[layer].name : "?";
}

const char *
proto_layer_text(enum layer layer)
{
	return (unsigned)layer < LAYER_MAX ? layers[layer].text : "?";
}

const char *
proto_breaker_state_name(enum breaker_state state)
{
	return (unsigned)state < BREAKER_STATE_MAX ? breaker_states[state] : "?";
}

const char *
proto_child_state_name(enum child_state state)
{
	return (unsigned)state < CHILD_STATE_MAX ? child_states[state] : "?";
}

const char *
proto_child_end_name(enum child_end end)
{
	return (unsigned)end < CHILD_END_MAX ? child_ends[end] : "?";
}

const char *
proto_activity_name(enum connection_activity phase)
{
	return (unsigned)phase < ACTIVITY_MAX ? activities[phase] : "?";
}

const char *
proto_recycle_name(enum recycle_reason reason)
{
	return (unsigned)reason < RECYCLE_MAX ? recycles[reason] : "?";
}

const char *
proto_image_kind_name(enum image_kind kind)
{
	return (unsigned)kind < IMAGE_KIND_MAX ? image_kinds[kind] : "?";
}

const char *
proto_image_why_name(enum image_why why)
{
	return (unsigned)why < IMAGE_WHY_MAX ? image_whys[why] : "?";
}

const char *
proto_prefault_name(enum prefault_state state)
{
	return (unsigned)state < PREFAULT_STATE_MAX ? prefaults[state] : "?";
}

const char *
proto_exit_text(int code)
{
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		if (exits[i].code == code)
			return exits[i].text;
	return "exit code of the worker's own";
}
