/*
 * A request's body as Lua reads it.
 *
 * Runs in: child. The bytes are the client's; how many may come is the front's affair, how many are held at once the script's.
 */
#include "body.h"

#include "request.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define READ_BYTES 8192

/* All that is left. */
static int
read_rest(lua_State *lua, struct zy_request *request)
{
	luaL_Buffer buffer;
	size_t count;

	luaL_buffinit(lua, &buffer);
	do {
		char *room = luaL_prepbuffsize(&buffer, READ_BYTES);
		count = zy_read(request, room, READ_BYTES);
		luaL_addsize(&buffer, count);
	} while (count > 0);
	luaL_pushresult(&buffer);
	return 1;
}

int
body_on_read(lua_State *lua)
{
	struct zy_request *request = request_need(lua);
	luaL_Buffer buffer;

	if (lua_isnoneornil(lua, 2))
		return read_rest(lua, request);
	const lua_Integer most = luaL_checkinteger(lua, 2);
	luaL_argcheck(lua, most > 0 && most <= INT_MAX, 2, "a number of bytes, above 0");
	char *room = luaL_buffinitsize(lua, &buffer, (size_t)most);
	const size_t count = zy_read(request, room, (size_t)most);
	luaL_pushresultsize(&buffer, count);
	if (count == 0)
		lua_pushnil(lua);
	return 1;
}

/* Reads on: upvalue 1 is what was read last, upvalue 2 how much of it has been handed out. 0 at the end of the body. */
static size_t
refill(lua_State *lua, struct zy_request *request)
{
	char piece[READ_BYTES];
	const size_t count = zy_read(request, piece, sizeof(piece));

	lua_pushlstring(lua, piece, count);
	lua_replace(lua, lua_upvalueindex(1));
	lua_pushinteger(lua, 0);
	lua_replace(lua, lua_upvalueindex(2));
	return count;
}

/* Adds what is there of the line. Whether its end was there too. */
static bool
add_part(lua_State *lua, luaL_Buffer *line)
{
	size_t length;
	const char *text = lua_tolstring(lua, lua_upvalueindex(1), &length);
	const size_t at = (size_t)lua_tointeger(lua, lua_upvalueindex(2));
	const char *end = memchr(text + at, '\n', length - at);
	const size_t part = end != NULL ? (size_t)(end - text) - at : length - at;

	luaL_addlstring(line, text + at, part);
	lua_pushinteger(lua, (lua_Integer)at + (lua_Integer)part + 1);
	lua_replace(lua, lua_upvalueindex(2));
	return end != NULL;
}

static int
next_line(lua_State *lua)
{
	struct zy_request *request = request_need(lua);
	luaL_Buffer line;
	bool is_whole;

	luaL_buffinit(lua, &line);
	while (!(is_whole = add_part(lua, &line)) && refill(lua, request) > 0)
		continue;
	luaL_pushresult(&line);
	if (!is_whole && lua_rawlen(lua, -1) == 0)
		lua_pushnil(lua);
	return 1;
}

int
body_on_lines(lua_State *lua)
{
	request_need(lua);
	lua_pushliteral(lua, "");
	lua_pushinteger(lua, 0);
	lua_pushcclosure(lua, next_line, 2);
	return 1;
}
