// What the command line asks for, as far as it must be known before anything is forked or loaded.
#pragma once
#include <stdbool.h>

// Whether this command line runs a network of its own: `up`, `run`, `ci`, or a recipe without a
// verb. Asking for help never does. `args` is what follows the program's name.
bool verb_runs_network(int count, char *const *args);
