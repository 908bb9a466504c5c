/*
 * A request as Lua sees it: an object with fields and methods.
 */
#ifndef ZYGOTED_LUA_REQUEST_H
#define ZYGOTED_LUA_REQUEST_H

#include "worker.h"

#include <lua.h>

/* In the zygote: makes the one request object there is, and leaves it on the stack. May raise a Lua error. */
void request_make(lua_State *lua);

/* The child's request; raises a Lua error in the zygote, which has none. */
struct zy_request *request_need(lua_State *lua);

/* What the object stands for from now on: NULL, which a new state needs to be told, or in a child its request. */
void request_bind(lua_State *lua, struct zy_request *request);

/*
 * Sends what the function `handle` has returned: the values from index `first` on. Raises a Lua error for what cannot be an answer.
 *
 *	nothing               what the request's own methods have written
 *	body                  status 200
 *	status, body
 *	status, headers, body
 *
 * A body is a string, nil, or a function that returns the next piece until it returns nil.
 */
void request_answer(lua_State *lua, struct zy_request *request, int first);

#endif
