/*
 * A request as Lua sees it.
 *
 *	request.method, path, query, rest, route, host, protocol, scheme, peer, peer_port, listener, pool, id, deadline, body_length
 *	request.tls_version, tls_cipher, tls_server_name, client_subject, client_san
 *	request.headers       a table, names in lower case; of a repeated header the values with ", " between
 *	request:read(n)       up to n bytes of the body, nil at its end; without n all that is left
 *	request:lines()       an iterator over its lines, without their ends
 *	request:status(n)  request:header(name, value)  request:length(n)  request:write(...)  request:flush()
 *	request:decode(text)  percent-decoded, nil when it cannot be
 *
 * Runs in: zygote (request_make), child (the rest). Lua errors leave by longjmp: nothing here holds what would have to be
 * given back.
 */
#include "request.h"

#include "body.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* Registry keys. */
static const char headers_key;

/*
 * A child has one request, and Lua values cannot carry what is known only then. It is in the space before the main thread's state, which a
 * child writes to anyway; coroutines begin with a copy. NULL in the zygote.
 */
static struct zy_request **
place_of(lua_State *lua)
{
	return lua_getextraspace(lua);
}

struct zy_request *
request_need(lua_State *lua)
{
	struct zy_request *request = *place_of(lua);

	if (request == NULL) {
		/* A coroutine that was made while the script was loaded. */
		lua_rawgeti(lua, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
		request = *place_of(lua_tothread(lua, -1));
		lua_pop(lua, 1);
	}
	if (request == NULL)
		luaL_error(lua, "there is no request while the script is loaded");
	return request;
}

/* ---- fields ---- */

static const struct field {
	const char *name;
	enum zy_field field;
} fields[] = {
	{ "method", ZY_METHOD },
	{ "path", ZY_PATH },
	{ "query", ZY_QUERY },
	{ "rest", ZY_REST },
	{ "route", ZY_ROUTE },
	{ "host", ZY_HOST },
	{ "protocol", ZY_PROTOCOL },
	{ "scheme", ZY_SCHEME },
	{ "peer", ZY_PEER_ADDRESS },
	{ "peer_port", ZY_PEER_PORT },
	{ "listener", ZY_LISTENER },
	{ "pool", ZY_POOL },
	{ "tls_version", ZY_TLS_VERSION },
	{ "tls_cipher", ZY_TLS_CIPHER },
	{ "tls_server_name", ZY_TLS_SERVER_NAME },
	{ "client_subject", ZY_CLIENT_SUBJECT },
	{ "client_san", ZY_CLIENT_SAN },
};

static void
push_headers(lua_State *lua, const struct zy_request *request)
{
	lua_newtable(lua);
	for (size_t i = 0; i < zy_headers(request); i++) {
		const char *name = zy_header_name(request, i);
		lua_pushstring(lua, zy_header_value(request, i));
		if (lua_getfield(lua, -2, name) == LUA_TSTRING) {
			lua_pushfstring(lua, "%s, %s", lua_tostring(lua, -1),
					lua_tostring(lua, -2));
			lua_replace(lua, -3);
		}
		lua_pop(lua, 1);
		lua_setfield(lua, -2, name);
	}
}

/* Made when somebody asks, and kept: the script may change its table. */
static int
get_headers(lua_State *lua, const struct zy_request *request)
{
	if (lua_rawgetp(lua, LUA_REGISTRYINDEX, &headers_key) == LUA_TNIL) {
		lua_pop(lua, 1);
		push_headers(lua, request);
		lua_pushvalue(lua, -1);
		lua_rawsetp(lua, LUA_REGISTRYINDEX, &headers_key);
	}
	return 1;
}

/* As in the log. */
static int
get_id(lua_State *lua, const struct zy_request *request)
{
	lua_pushstring(lua, zy_field(request, ZY_REQUEST_ID));
	return 1;
}

/* nil: the body comes in chunks. */
static int
get_length(lua_State *lua, const struct zy_request *request)
{
	const uint64_t length = zy_content_length(request);

	if (length == ZY_LENGTH_UNKNOWN)
		lua_pushnil(lua);
	else
		lua_pushinteger(lua, (lua_Integer)length);
	return 1;
}

/* Seconds of CLOCK_MONOTONIC. */
static int
get_deadline(lua_State *lua, const struct zy_request *request)
{
	lua_pushnumber(lua, (lua_Number)zy_deadline_ns(request) / 1e9);
	return 1;
}

#define FIRST_GETTER ZY_FIELD_MAX

static const struct getter {
	const char *name;
	int (*get)(lua_State *lua, const struct zy_request *request);
} getters[] = {
	{ "headers", get_headers },
	{ "id", get_id },
	{ "body_length", get_length },
	{ "deadline", get_deadline },
};

/* The library's push compares with strings that it has had before: in pages that a child would not need otherwise. */
static void
push_text(lua_State *lua, const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
		__asm__ volatile("" : "+r"(length)); /* or compilers make it strlen(3) */
	}
	lua_pushlstring(lua, text, length);
}

/* __index: the first upvalue has a method or a number for each name, from FIRST_GETTER on that of a getter, below that of a field. */
static int
on_index(lua_State *lua)
{
	lua_pushvalue(lua, 2);
	if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNUMBER)
		return 1; /* a method; or nil */
	const lua_Integer number = lua_tointeger(lua, -1);
	if (number >= FIRST_GETTER)
		return getters[number - FIRST_GETTER].get(lua, request_need(lua));
	push_text(lua, zy_field(request_need(lua), (enum zy_field)number));
	return 1;
}

static void
add_names(lua_State *lua)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		lua_pushinteger(lua, fields[i].field);
		lua_setfield(lua, -2, fields[i].name);
	}
	for (size_t i = 0; i < sizeof(getters) / sizeof(getters[0]); i++) {
		lua_pushinteger(lua, FIRST_GETTER + (lua_Integer)i);
		lua_setfield(lua, -2, getters[i].name);
	}
}

/* ---- the answer ---- */

static void
set_status(lua_State *lua, struct zy_request *request, int index)
{
	const lua_Integer status = luaL_checkinteger(lua, index);

	if (status < 200 || status > 599 || zy_status(request, (int)status) < 0)
		luaL_error(lua, "status %I cannot be sent: it is none, or the answer has begun",
			   status);
}

static void
add_header(lua_State *lua, struct zy_request *request, const char *name, const char *value)
{
	if (zy_header_add(request, name, value) < 0)
		luaL_error(lua,
			   "header %s cannot be sent: bad bytes, reserved, too many, or the answer "
			   "has begun",
			   name);
}

static void
write_string(lua_State *lua, struct zy_request *request, int index)
{
	size_t length;
	const char *text = luaL_checklstring(lua, index, &length);

	if (zy_write(request, text, length) < 0)
		luaL_error(lua, "the answer cannot be written: more than its length, or a status "
				"without a body");
}

static int
on_status(lua_State *lua)
{
	set_status(lua, request_need(lua), 2);
	return 0;
}

static int
on_header(lua_State *lua)
{
	add_header(lua, request_need(lua), luaL_checkstring(lua, 2), luaL_checkstring(lua, 3));
	return 0;
}

static int
on_length(lua_State *lua)
{
	const lua_Integer bytes = luaL_checkinteger(lua, 2);

	if (bytes < 0 || zy_length(request_need(lua), (uint64_t)bytes) < 0)
		luaL_error(lua, "length %I cannot be promised", bytes);
	return 0;
}

static int
on_write(lua_State *lua)
{
	struct zy_request *request = request_need(lua);
	const int count = lua_gettop(lua);

	for (int i = 2; i <= count; i++)
		write_string(lua, request, i);
	return 0;
}

static int
on_flush(lua_State *lua)
{
	(void)zy_flush(request_need(lua));
	return 0;
}

static int
on_decode(lua_State *lua)
{
	size_t length;
	const char *text = luaL_checklstring(lua, 2, &length);
	luaL_Buffer buffer;
	char *room = luaL_buffinitsize(lua, &buffer, length + 1);
	const ssize_t decoded = zy_percent_decode(text, room);

	if (decoded < 0) {
		lua_pushnil(lua);
		return 1;
	}
	luaL_pushresultsize(&buffer, (size_t)decoded);
	return 1;
}

/* ---- what handle returns ---- */

static void
add_headers(lua_State *lua, struct zy_request *request, int index)
{
	luaL_checktype(lua, index, LUA_TTABLE);
	for (lua_pushnil(lua); lua_next(lua, index) != 0; lua_pop(lua, 1)) {
		if (lua_type(lua, -2) != LUA_TSTRING)
			luaL_error(lua, "headers must be a table with names as its keys");
		/* A copy: tostring would change a number in the table itself. */
		lua_pushvalue(lua, -1);
		add_header(lua, request, lua_tostring(lua, -3), luaL_checkstring(lua, -1));
		lua_pop(lua, 1);
	}
}

/* Each piece leaves before the next one is asked for. */
static void
write_pieces(lua_State *lua, struct zy_request *request, int index)
{
	for (;;) {
		lua_pushvalue(lua, index);
		lua_call(lua, 0, 1);
		if (lua_isnil(lua, -1))
			return;
		write_string(lua, request, -1);
		(void)zy_flush(request);
		lua_pop(lua, 1);
	}
}

static void
write_body(lua_State *lua, struct zy_request *request, int index)
{
	if (lua_isnoneornil(lua, index))
		return;
	if (lua_isfunction(lua, index))
		write_pieces(lua, request, index);
	else
		write_string(lua, request, index);
}

void
request_answer(lua_State *lua, struct zy_request *request, int first)
{
	const int count = lua_gettop(lua) - first + 1;
	int body = first;

	if (count > 3)
		luaL_error(lua, "handle returned %d values: at most a status, headers and a body",
			   count);
	if (count >= 2) {
		set_status(lua, request, first);
		body = first + count - 1;
	}
	if (count == 3 && !lua_isnil(lua, first + 1))
		add_headers(lua, request, first + 1);
	if (count > 0)
		write_body(lua, request, body);
}

/* ---- the object ---- */

void
request_bind(lua_State *lua, struct zy_request *request)
{
	*place_of(lua) = request;
}

void
request_make(lua_State *lua)
{
	static const luaL_Reg methods[] = {
		{ "read", body_on_read }, { "lines", body_on_lines }, { "status", on_status },
		{ "header", on_header },  { "length", on_length },    { "write", on_write },
		{ "flush", on_flush },	  { "decode", on_decode },    { NULL, NULL },
	};

	(void)lua_newuserdatauv(lua, 0, 0);
	lua_newtable(lua);
	luaL_newlib(lua, methods);
	add_names(lua);
	lua_pushcclosure(lua, on_index, 1);
	lua_setfield(lua, -2, "__index");
	lua_pushliteral(lua, "request");
	lua_setfield(lua, -2, "__name");
	lua_setmetatable(lua, -2);
}
