/*
 * Where Lua's objects are: those that every child writes to in one page, together with what it makes itself, apart from all others.
 */
#ifndef ZYGOTED_LUA_ARENA_H
#define ZYGOTED_LUA_ARENA_H

#include <lua.h>

/* A state whose memory comes from the arena; once, as there is one arena. What comes next is hot. NULL without memory. */
lua_State *arena_new_state(void);

/* During load: what is allocated between the two is what children write to. It should be little, a page less what they allocate. */
void arena_begin_hot(void);
void arena_end_hot(void);

/* At the end of load: what is allocated from here on, in children, comes after that in the same page, then in pages of its own. */
void arena_settle(void);

#endif
