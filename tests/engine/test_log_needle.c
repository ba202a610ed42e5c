// What a line may be searched for: expressions for which libc would take seconds, gigabytes or the
// stack are refused with a word, all others taken.
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/needle.h"

static int init(struct needle *needle, const char *regex, char *why) {
  struct needle_spec spec = {regex, strlen(regex), true};
  return needle_init(needle, &spec, why, 128);
}

static void usual_expressions_find_what_they_should(void **state) {
  (void)state;
  static const struct {
    const char *regex, *line;
    bool found;
  } rows[] = {
      {"^listening on [0-9]{1,5}$", "listening on 8080", true},
      {"((([a-z]+ )+[0-9]+)+;)+$", "a b 1c 2;", true},
      {"(GET|POST) /[^ ]* [45][0-9]{2}", "GET /a 503", true},
      {"a{3}", "aa", false},
      {"(ab{2,}){2}", "abbabbb", true},
      {"[]{}]{2}", "]}", true},
      {"[[:digit:][.-.]]+x", "1-2x", true},
      {"\\(1\\)\\{2}", "(1){2}", true},
      {"[\\1]", "1", true},
      {"x{,3}", "xx", true},
      {".{1000}", "too short", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct needle needle;
    char why[128] = "";
    if (init(&needle, rows[i].regex, why)) fail_msg("%s: %s", rows[i].regex, why);
    if (needle_in_line(&needle, rows[i].line, strlen(rows[i].line)) != rows[i].found)
      fail_msg("%s in %s", rows[i].regex, rows[i].line);
    needle_finish(&needle);
  }
}

static void what_would_hold_everything_up_is_refused(void **state) {
  (void)state;
  char *deep = calloc(1, 2 * 100000 + 1), *empty = deep + 100000;
  memset(deep, '(', 100000);
  memset(empty, ')', 100000);
  const char *rows[][2] = {
      {"((a{200}){200}){200}", "2,000 characters"},
      {"(a*){2000}", "2,000 characters"},
      {"(a|b){99999999999999999999}", "2,000 characters"},
      {"(a{50,}){50}", "2,000 characters"},
      {"a++++++++++++++++++++++++++++++++", "2,000 characters"},
      {"a????????????????????????????????", "2,000 characters"},
      {"((((((((((((((((((((((a?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?", "2,000 characters"},
      {"(.*)\\1y", "refers back"},
      {"([ab]+(c\\1))", "refers back"},
      {deep, "nested more than 100 deep"},
      {"(", "("},
      {"a)))b(", "("},
      {"[", "nvalid"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct needle needle;
    char why[128] = "";
    assert_int_equal(init(&needle, rows[i][0], why), -EINVAL);
    if (!strstr(why, rows[i][1])) fail_msg("%.60s: %s", rows[i][0], why);
    needle_finish(&needle); // harmless
  }
  free(deep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(usual_expressions_find_what_they_should),
      cmocka_unit_test(what_would_hold_everything_up_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
