/*
 * Methods of the request object that read its body.
 */
#ifndef ZYGOTED_LUA_BODY_H
#define ZYGOTED_LUA_BODY_H

#include <lua.h>

/* request:read([n]): up to n bytes, nil at the end; without n all that is left. */
int body_on_read(lua_State *lua);

/* request:lines(): an iterator. */
int body_on_lines(lua_State *lua);

#endif
