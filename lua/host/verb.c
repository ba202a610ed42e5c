#include "host/verb.h"

#include <stddef.h>
#include <string.h>

// All verbs but `up`, `run`, `ci`: any other first word is one of these three, or a recipe.
static const char *const other_verbs[] = {
    "attach", "build", "check",    "completion", "do",      "doctor", "down", "env",    "eval",
    "events", "exec",  "graph",    "help",       "import",  "init",   "logs", "open",   "plan",
    "ps",     "pull",  "reload",   "repl",       "restart", "scale",  "send", "signal", "simulate",
    "start",  "stop",  "timeline", "top",        "version", "wait",   "why",  NULL};

// Options whose value may be the next word.
static const char *const with_value[] = {"--only",
                                         "--except",
                                         "--category",
                                         "--tag",
                                         "--profile",
                                         "--timeout",
                                         "--project",
                                         "--stdlib",
                                         "--junit",
                                         "--since",
                                         "--grep",
                                         "--lines",
                                         "--for",
                                         "--signal",
                                         "--linger",
                                         "--listen",
                                         "--allow-origin",
                                         "--detach-keys",
                                         "--run",
                                         "--from",
                                         "--to",
                                         "--svg",
                                         "--html",
                                         "--sort",
                                         "--samples",
                                         "--faults",
                                         "--seed",
                                         "-n",
                                         "-s",
                                         NULL};

static bool among(const char *const *words, const char *word) {
  for (; *words; words++)
    if (!strcmp(*words, word)) return true;
  return false;
}

static bool asks_for_help(const char *word) {
  return !strcmp(word, "--help") || !strcmp(word, "-h");
}

// The index of the first word that is neither an option nor an option's value; count: none.
static int first_word(int count, char *const *args) {
  int i = 0;
  while (i < count && args[i][0] == '-' && args[i][1] && strcmp(args[i], "--") != 0)
    i += among(with_value, args[i]) ? 2 : 1;
  return i < count && strcmp(args[i], "--") != 0 ? i : count;
}

// `repl` alone asks a live network; with a recipe it has one of its own.
static bool is_alone(int count, char *const *args, int verb) {
  if (!among(other_verbs, args[verb])) return false;
  int behind = verb + 1;
  return strcmp(args[verb], "repl") != 0 ||
         first_word(count - behind, args + behind) == count - behind;
}

bool verb_runs_network(int count, char *const *args) {
  int word = first_word(count, args);
  if (word == count || is_alone(count, args, word)) return false;
  for (int i = 0; i < count && strcmp(args[i], "--") != 0; i++)
    if (asks_for_help(args[i]) || (i < word && !strcmp(args[i], "--version"))) return false;
  return true;
}
