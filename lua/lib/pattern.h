// Patterns of Lua, as its manual has them in §6.4.1, with the limits and errors of 5.4. A match may
// take exponential time; it can be interrupted.
//
// A pattern is walked item by item. Where one could go on in several ways, what is left to try is
// put on a stack of choices; when an item doesn't fit, the newest of them is taken up.
#pragma once
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/effort.h"

#define PATTERN_CAPTURES 32
#define PATTERN_CHOICES  199 // more at once: "pattern too complex"

enum pattern_span { PATTERN_POSITION = -2, PATTERN_OPEN = -1 }; // instead of a length

struct pattern_capture {
  const char *at;
  ptrdiff_t length; // or a pattern_span
};

enum pattern_kind { CHOICE_OPENED, CHOICE_CLOSED, CHOICE_OPTION, CHOICE_GREEDY, CHOICE_LAZY };

struct pattern_choice {
  enum pattern_kind kind;
  int capture;      // CLOSED: which one
  const char *at;   // in the subject, where the rest was tried last; OPTION: is to be tried
  const char *low;  // GREEDY: the shortest
  const char *item; // LAZY: what one more of is to be tried
  const char *rest; // of the pattern, behind the item
};

// What is matched with what. The two strings are Lua's and stay on a stack, or are upvalues, as
// long as this is used; both have a NUL behind them.
struct pattern_source {
  const char *subject, *subject_end;
  const char *text, *text_end; // the pattern, without its anchor
  const char *head_end; // the first item ends here, and each match begins with one; NULL: not known
  int lead;             // the one byte that it is, or -1
};

struct pattern {
  struct effort effort;
  struct pattern_source of;
  int captured, chosen; // how many of each
  struct pattern_capture captures[PATTERN_CAPTURES];
  struct pattern_choice choices[PATTERN_CHOICES];
};

struct pattern_source pattern_source(const char *subject, size_t length, const char *text,
                                     size_t text_length);

static inline void pattern_begin(struct pattern *pattern, lua_State *L,
                                 const struct pattern_source *source) {
  pattern->effort = effort_begin(L);
  pattern->of = *source;
}

// Where the match ends that begins at `at`, NULL: none does. Sets the captures. Raises.
const char *pattern_match(struct pattern *pattern, const char *at);

// The same for the first from *at on, which it moves there.
const char *pattern_search(struct pattern *pattern, const char **at);

// Pushes capture `index`, from 0; the match from `at` to `end` when there are none. Raises.
void pattern_push(struct pattern *pattern, int index, const char *at, const char *end);

// Pushes all of them, or the match when there are none and `at` isn't NULL; gives their number.
int pattern_push_all(struct pattern *pattern, const char *at, const char *end);
