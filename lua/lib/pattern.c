#include "lib/pattern.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

static void spend(struct pattern *p, ptrdiff_t steps) {
  effort_spend(&p->effort, steps);
}

// Single characters ------------------------------------------------------------------------------

static bool in_class(unsigned char letter, unsigned char c) {
  int in;
  switch (letter | 0x20) { // a capital is the complement
  case 'a': in = isalpha(c); break;
  case 'c': in = iscntrl(c); break;
  case 'd': in = isdigit(c); break;
  case 'g': in = isgraph(c); break;
  case 'l': in = islower(c); break;
  case 'p': in = ispunct(c); break;
  case 's': in = isspace(c); break;
  case 'u': in = isupper(c); break;
  case 'w': in = isalnum(c); break;
  case 'x': in = isxdigit(c); break;
  case 'z': in = c == '\0'; break; // no longer in the manual, still in Lua
  default: return letter == c;
  }
  return (in != 0) == ((letter & 0x20) != 0);
}

// `at` is behind the opening bracket, `close` at the closing one.
static bool in_set(const char *at, const char *close, unsigned char c) {
  bool wanted = *at != '^';
  if (!wanted) at++;
  while (at < close) {
    unsigned char low = *at++;
    if (low == '%') {
      if (in_class(*at++, c)) return wanted;
    } else if (*at == '-' && at + 1 < close) {
      if (low <= c && c <= (unsigned char)at[1]) return wanted;
      at += 2;
    } else if (low == c) {
      return wanted;
    }
  }
  return !wanted;
}

// Behind the class, set or character at `item`; NULL: it isn't whole.
static inline const char *whole_item(const char *item, const char *text_end) {
  if (*item == '%') return item + 1 == text_end ? NULL : item + 2;
  if (*item != '[') return item + 1;
  const char *first = item + 1 + (item[1] == '^');
  for (const char *at = first; at < text_end; at += *at == '%' ? 2 : 1)
    if (*at == ']' && at > first) return at + 1;
  return NULL;
}

static inline const char *item_end(struct pattern *p, const char *item) {
  const char *end = whole_item(item, p->of.text_end);
  if (!end)
    luaL_error(p->effort.L, "malformed pattern (%s)",
               *item == '[' ? "missing ']'" : "ends with '%'");
  return end;
}

static inline bool fits(const char *item, const char *end, unsigned char c) {
  switch (*item) {
  case '.': return true;
  case '%': return in_class(item[1], c);
  case '[': return in_set(item + 1, end - 1, c);
  default: return (unsigned char)*item == c;
  }
}

// Behind the longest run of what fits the item.
static const char *run_end(struct pattern *p, const char *item, const char *end, const char *at) {
  const char *stop = p->of.subject_end;
  ptrdiff_t cost = end - item;
  if (*item == '.') return stop;
  for (; at < stop && fits(item, end, *at); at++) spend(p, cost);
  return at;
}

// Choices ----------------------------------------------------------------------------------------

static struct pattern_choice *choose(struct pattern *p, enum pattern_kind kind) {
  if (p->chosen == PATTERN_CHOICES) luaL_error(p->effort.L, "pattern too complex");
  struct pattern_choice *choice = &p->choices[p->chosen++];
  choice->kind = kind;
  return choice;
}

// One more of a lazy item, if there is one.
static bool lengthen(struct pattern *p, struct pattern_choice *choice) {
  const char *end = choice->rest - 1;
  if (choice->at == p->of.subject_end || !fits(choice->item, end, *choice->at)) return false;
  spend(p, end - choice->item);
  choice->at++;
  return true;
}

// The newest choice that has something left to try: where in the subject and what of the pattern.
static inline bool retry(struct pattern *p, const char **at, const char **text) {
  for (; p->chosen; p->chosen--) {
    struct pattern_choice *choice = &p->choices[p->chosen - 1];
    switch (choice->kind) {
    case CHOICE_OPENED: p->captured--; continue;
    case CHOICE_CLOSED: p->captures[choice->capture].length = PATTERN_OPEN; continue;
    case CHOICE_OPTION: p->chosen--; break;
    case CHOICE_GREEDY:
      if (choice->at == choice->low) continue;
      choice->at--;
      break;
    case CHOICE_LAZY:
      if (!lengthen(p, choice)) continue;
      break;
    }
    *at = choice->at;
    *text = choice->rest;
    return true;
  }
  return false;
}

// Items: each goes on behind itself in subject and pattern, or doesn't fit
// -------------------------

static bool open_capture(struct pattern *p, const char *at, const char **text) {
  bool position = (*text)[1] == ')';
  if (p->captured == PATTERN_CAPTURES) luaL_error(p->effort.L, "too many captures");
  choose(p, CHOICE_OPENED);
  p->captures[p->captured++] = (struct pattern_capture){
      .at = at,
      .length = position ? PATTERN_POSITION : PATTERN_OPEN,
  };
  *text += position ? 2 : 1;
  return true;
}

static bool close_capture(struct pattern *p, const char *at, const char **text) {
  int index = p->captured - 1;
  while (index >= 0 && p->captures[index].length != PATTERN_OPEN) index--;
  if (index < 0) luaL_error(p->effort.L, "invalid pattern capture");
  choose(p, CHOICE_CLOSED)->capture = index;
  p->captures[index].length = at - p->captures[index].at;
  ++*text;
  return true;
}

// %b and two characters.
static bool balanced(struct pattern *p, const char **at, const char **text) {
  const char *pair = *text + 2, *s = *at;
  if (p->of.text_end - pair < 2)
    luaL_error(p->effort.L, "malformed pattern (missing arguments to '%%b')");
  *text = pair + 2;
  if (s == p->of.subject_end || *s != pair[0]) return false;
  size_t depth = 1;
  while (depth && ++s < p->of.subject_end) {
    if (*s == pair[1])
      depth--;
    else if (*s == pair[0])
      depth++;
  }
  spend(p, s - *at);
  *at = s + 1;
  return depth == 0;
}

// %f and a set; in front of the subject and behind it is a NUL.
static bool frontier(struct pattern *p, const char *at, const char **text) {
  const char *set = *text + 2;
  if (*set != '[') luaL_error(p->effort.L, "missing '[' after '%%f' in pattern");
  const char *end = item_end(p, set);
  char before = '\0';
  if (at > p->of.subject) before = at[-1];
  spend(p, end - set);
  *text = end;
  return !in_set(set + 1, end - 1, before) && in_set(set + 1, end - 1, *at);
}

// %1 to %9: the same bytes again.
static bool repeated(struct pattern *p, const char **at, const char **text) {
  int index = (*text)[1] - '1';
  if (index < 0 || index >= p->captured || p->captures[index].length == PATTERN_OPEN)
    luaL_error(p->effort.L, "invalid capture index %%%d", index + 1);
  const struct pattern_capture *capture = &p->captures[index];
  ptrdiff_t length = capture->length;
  *text += 2;
  if (length < 0 || p->of.subject_end - *at < length) return false;
  spend(p, length / 16);
  if (memcmp(*at, capture->at, length) != 0) return false;
  *at += length;
  return true;
}

static inline bool single(struct pattern *p, const char **at, const char **text) {
  const char *item = *text, *end = item_end(p, item), *s = *at;
  bool fit = s < p->of.subject_end && fits(item, end, *s);
  if (*item == '[') spend(p, end - item);
  switch (*end) { // a NUL behind the pattern
  case '?':
  case '-':
    *text = end + 1;
    if (!fit) return true;
    struct pattern_choice *choice = choose(p, *end == '?' ? CHOICE_OPTION : CHOICE_LAZY);
    choice->at = s;
    choice->item = item;
    choice->rest = end + 1;
    if (*end == '?') ++*at;
    return true;
  case '*':
  case '+':
    *text = end + 1;
    if (!fit) return *end == '*';
    struct pattern_choice *greedy = choose(p, CHOICE_GREEDY);
    greedy->low = *end == '+' ? s + 1 : s;
    greedy->rest = end + 1;
    *at = greedy->at = run_end(p, item, end, s + 1);
    return true;
  default:
    *text = end;
    ++*at;
    return fit;
  }
}

static inline bool item(struct pattern *p, const char **at, const char **text) {
  switch (**text) {
  case '(': return open_capture(p, *at, text);
  case ')': return close_capture(p, *at, text);
  case '$':
    if (*text + 1 != p->of.text_end) break;
    ++*text;
    return *at == p->of.subject_end;
  case '%':
    switch ((*text)[1]) {
    case 'b': return balanced(p, at, text);
    case 'f': return frontier(p, *at, text);
    default:
      if (isdigit((unsigned char)(*text)[1])) return repeated(p, at, text);
    }
    break;
  }
  return single(p, at, text);
}

const char *pattern_match(struct pattern *p, const char *at) {
  const char *text = p->of.text;
  p->captured = p->chosen = 0;
  while (text != p->of.text_end) {
    spend(p, 1);
    if (!item(p, &at, &text) && !retry(p, &at, &text)) return NULL;
  }
  return at;
}

// A search ---------------------------------------------------------------------------------------

// Whether the first item is a class, a set or a character.
static bool begins_singly(const char *text) {
  switch (*text) {
  case '\0':
  case '(':
  case ')':
  case '$':
  case '.': return false;
  case '%': return !isdigit((unsigned char)text[1]) && text[1] != 'b' && text[1] != 'f';
  default: return true;
  }
}

// Knows only what is cheaply known: a pattern whose first item is one character that must be there.
static void find_head(struct pattern_source *source) {
  const char *text = source->text;
  const char *end = begins_singly(text) ? whole_item(text, source->text_end) : NULL;
  source->lead = -1;
  source->head_end = NULL;
  if (!end || *end == '*' || *end == '?' || *end == '-') return; // a NUL behind the pattern
  source->head_end = end;
  bool escaped = *text == '%';
  if (*text == '[' || (escaped && isalnum((unsigned char)text[1]))) return;
  source->lead = (unsigned char)text[escaped];
}

struct pattern_source pattern_source(const char *subject, size_t length, const char *text,
                                     size_t text_length) {
  struct pattern_source source = {
      .subject = subject,
      .subject_end = subject + length,
      .text = text,
      .text_end = text + text_length,
  };
  find_head(&source);
  return source;
}

// The next place from `at` on where a match may begin; NULL: nowhere.
static inline const char *candidate(struct pattern *p, const char *at) {
  const char *head = p->of.text, *end = p->of.head_end, *stop = p->of.subject_end;
  if (p->of.lead >= 0) return memchr(at, p->of.lead, stop - at);
  if (!end) return at;
  for (ptrdiff_t cost = end - head; at < stop && !fits(head, end, *at); at++) spend(p, cost);
  return at < stop ? at : NULL;
}

const char *pattern_search(struct pattern *p, const char **at) {
  for (const char *from = *at; from <= p->of.subject_end; from++) {
    from = candidate(p, from);
    if (!from) return NULL;
    *at = from;
    const char *end = pattern_match(p, from);
    if (end) return end;
  }
  return NULL;
}

void pattern_push(struct pattern *p, int index, const char *at, const char *end) {
  lua_State *L = p->effort.L;
  if (index >= p->captured) {
    if (index > 0) luaL_error(L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(L, at, end - at);
    return;
  }
  const struct pattern_capture *capture = &p->captures[index];
  if (capture->length == PATTERN_OPEN) luaL_error(L, "unfinished capture");
  if (capture->length == PATTERN_POSITION)
    lua_pushinteger(L, capture->at - p->of.subject + 1);
  else
    lua_pushlstring(L, capture->at, capture->length);
}

int pattern_push_all(struct pattern *p, const char *at, const char *end) {
  int count = p->captured || !at ? p->captured : 1;
  luaL_checkstack(p->effort.L, count, "too many captures");
  for (int i = 0; i < count; i++) pattern_push(p, i, at, end);
  return count;
}
