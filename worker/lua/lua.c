/*
 * lua: answers with the function `handle` of a Lua script. The script runs once, in the zygote, then its function `load` if there is one; each
 * request is one call of `handle` in a process of its own.
 *
 * Runs in: zygote (load), child (child_start, handle). The collector is stopped from the start: it would write to every object, and a
 * child does not live long enough to need it; a script may call it while it is loaded. Every call into Lua that can fail is protected, or its panic would abort.
 */
#include "arena.h"
#include "request.h"
#include "worker.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ERROR_SHOWN 300
#define HOT_LEVELS  5
#define HOT_SLOTS   70 /* of the stack, unless the script needs more while it is loaded */

/* Places on the stack of the main thread, which stays as load leaves it. */
enum { AT_HANDLER = 1, AT_SEED, AT_RUN, AT_HANDLE, AT_REQUEST, AT_MAX };

/* ---- load ---- */

/*
 * Modules in C find Lua's symbols in the global scope, and this worker was loaded into one of its own. The library is there already.
 */
static int
open_symbols(const struct zy_load *load)
{
	Dl_info info;

	if (dladdr((void *)lua_pcallk, &info) == 0 || info.dli_fname == NULL)
		return zy_load_error(load, "liblua is not to be found");
	if (dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) == NULL)
		return zy_load_error(load, "%s: %s", info.dli_fname, dlerror());
	return 0;
}

/* The message handler of all calls: what went wrong, and where. */
static int
on_error(lua_State *lua)
{
	const char *text = luaL_tolstring(lua, 1, NULL);

	luaL_traceback(lua, lua, text, 1);
	return 1;
}

/* warn(): to the log, once warn("@on") was called; the reference manual, 6.1. */
static void
on_warning(void *context, const char *text, int continues)
{
	static bool is_on, is_middle;

	(void)context;
	if (!is_middle && !continues && text[0] == '@') {
		is_on = strcmp(text, "@on") == 0 || (is_on && strcmp(text, "@off") != 0);
		return;
	}
	if (is_on)
		fprintf(stderr, "%s%s%s", is_middle ? "" : "warning: ", text,
			continues ? "" : "\n");
	is_middle = continues;
}

/* `path`, a list of directories, in front of package.path. */
static int
add_paths(lua_State *lua)
{
	const struct zy_load *load = lua_touserdata(lua, 1);
	const char *path;
	luaL_Buffer buffer;

	luaL_buffinit(lua, &buffer);
	for (size_t i = 0; (path = zy_option(load, "path", i)) != NULL; i++) {
		luaL_addstring(&buffer, path);
		luaL_addstring(&buffer, "/?.lua;");
	}
	luaL_pushresult(&buffer);
	lua_getglobal(lua, "package");
	lua_getfield(lua, -1, "path");
	lua_pushfstring(lua, "%s%s", lua_tostring(lua, -3), lua_tostring(lua, -1));
	lua_setfield(lua, -3, "path");
	return 0;
}

/*
 * The generator, the one upvalue of math.random and math.randomseed, is written to in each child: a copy of it goes where that costs no
 * page of its own. Leaves math.randomseed, before a script can replace it.
 */
static int
push_seed(lua_State *lua)
{
	lua_getglobal(lua, "math");
	lua_getfield(lua, -1, "random");
	lua_getfield(lua, -2, "randomseed");
	if (lua_getupvalue(lua, -1, 1) == NULL || lua_type(lua, -1) != LUA_TUSERDATA)
		return luaL_error(lua, "math.randomseed is not that of Lua 5.4");
	const void *generator = lua_touserdata(lua, -1);
	const size_t size = lua_rawlen(lua, -1);
	arena_begin_hot();
	memcpy(lua_newuserdatauv(lua, size, 0), generator, size);
	arena_end_hot();
	lua_pushvalue(lua, -1);
	lua_setupvalue(lua, -5, 1);
	lua_setupvalue(lua, -3, 1);
	lua_pop(lua, 1);
	return 1;
}

/* Lua keeps a record for each level of calls, which calls write to: those of the first levels are made where children write anyway, as is the
 * stack. */
static int
deepen(lua_State *lua)
{
	const lua_Integer levels = lua_tointeger(lua, 1);

	if (levels > 0) {
		lua_pushcfunction(lua, deepen);
		lua_pushinteger(lua, levels - 1);
		lua_call(lua, 1, 0);
	}
	return 0;
}

static int
open_libraries(lua_State *lua)
{
	luaL_checkstack(lua, HOT_SLOTS, NULL);
	lua_pushcfunction(lua, deepen);
	lua_pushinteger(lua, HOT_LEVELS);
	lua_call(lua, 1, 0);
	arena_end_hot();
	luaL_openlibs(lua);
	lua_pushcfunction(lua, add_paths);
	lua_pushvalue(lua, 1);
	lua_call(lua, 1, 0);
	return push_seed(lua);
}

/* Runs the script and its load(). Leaves handle. */
static int
run_script(lua_State *lua)
{
	const char *script = lua_touserdata(lua, 1);

	if (luaL_loadfilex(lua, script, "t") != LUA_OK)
		return lua_error(lua);
	lua_call(lua, 0, 0);
	if (lua_getglobal(lua, "load") == LUA_TFUNCTION && !lua_iscfunction(lua, -1))
		lua_call(lua, 0, 0);
	if (lua_getglobal(lua, "handle") != LUA_TFUNCTION)
		return luaL_error(lua, "%s has no function handle(request)", script);
	return 1;
}

static int
make_request(lua_State *lua)
{
	request_make(lua);
	return 1;
}

/* Calls a C function in protected mode; its one result stays on the stack. */
static int
protect(const struct zy_load *load, lua_State *lua, lua_CFunction function, const void *argument)
{
	lua_pushcfunction(lua, function);
	lua_pushlightuserdata(lua, (void *)argument);
	if (lua_pcall(lua, 1, 1, AT_HANDLER) == LUA_OK)
		return 0;
	const char *text = lua_tostring(lua, -1);
	fprintf(stderr, "%s\n", text != NULL ? text : "?");
	return zy_load_error(load, "%.*s", ERROR_SHOWN, text != NULL ? text : "?");
}

/* In a child, with the request object and handle: see AT_RUN. */
static int
run_handle(lua_State *lua)
{
	struct zy_request *request = lua_touserdata(lua, 1);

	lua_call(lua, 1, LUA_MULTRET); /* handle, request object */
	request_answer(lua, request, 2);
	return 0;
}

static int
push_runner(lua_State *lua)
{
	lua_pushcfunction(lua, run_handle);
	return 1;
}

static int
load_lua(const struct zy_load *load, void **state_out)
{
	static const char *const known[] = { "script", "path", NULL };
	const char *script = zy_option(load, "script", 0);

	if (zy_options_check(load, known) < 0)
		return -1;
	if (script == NULL || zy_option(load, "script", 1) != NULL)
		return zy_load_error(load,
				     "option \"script\": the path of one Lua script is needed");
	if (open_symbols(load) < 0)
		return -1;
	/* What io.write leaves would be lost with a child that dies; and the end of each need not look for it. */
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	lua_State *lua = arena_new_state();
	if (lua == NULL)
		return zy_load_error(load, "no memory");
	lua_setwarnf(lua, on_warning, NULL);
	request_bind(lua, NULL); /* a new state's space holds what was there before */
	lua_gc(lua, LUA_GCSTOP);
	lua_pushcfunction(lua, on_error);
	if (protect(load, lua, open_libraries, load) < 0 ||
	    protect(load, lua, push_runner, NULL) < 0 ||
	    protect(load, lua, run_script, script) < 0 ||
	    protect(load, lua, make_request, NULL) < 0)
		return -1;
	if (lua_gettop(lua) != AT_MAX - 1 || !lua_checkstack(lua, LUA_MINSTACK))
		return zy_load_error(load, "no room on the stack");
	arena_settle();
	*state_out = lua;
	return 0;
}

/* ---- a child ---- */

static int
tell_error(lua_State *lua)
{
	const char *text = lua_tostring(lua, -1);

	fprintf(stderr, "%s\n", text != NULL ? text : "error without a text");
	return -1;
}

/* math.random would give all children the same numbers. */
static int
seed_random(lua_State *lua, const uint8_t *bytes)
{
	lua_Integer seed[2];

	memcpy(seed, bytes, sizeof(seed));
	lua_pushvalue(lua, AT_SEED);
	lua_pushinteger(lua, seed[0]);
	lua_pushinteger(lua, seed[1]);
	return lua_pcall(lua, 2, 0, AT_HANDLER) == LUA_OK ? 0 : tell_error(lua);
}

/* Any seed: what counts is that interpreter and stack are touched while nobody waits. */
static int
start_child(void *state)
{
	static const uint8_t bytes[ZY_SEED_BYTES];

	return seed_random(state, bytes);
}

static int
handle(void *state, struct zy_request *request)
{
	lua_State *lua = state;

	if (seed_random(lua, zy_seed(request)) < 0)
		return -1;
	request_bind(lua, request);
	lua_pushvalue(lua, AT_RUN);
	lua_pushlightuserdata(lua, request);
	lua_pushvalue(lua, AT_HANDLE);
	lua_pushvalue(lua, AT_REQUEST);
	return lua_pcall(lua, 3, 0, AT_HANDLER) == LUA_OK ? 0 : tell_error(lua);
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "lua",
	.profile = "compute",
	.load = load_lua,
	.child_start = start_child,
	.handle = handle,
};
