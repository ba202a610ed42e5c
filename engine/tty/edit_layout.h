// Where on the terminal a line that is being typed stands.
#pragma once
#include <stddef.h>

struct edit_place {
  size_t row, column; // from the beginning of the prompt
};

// The place behind the prompt and `size` bytes of text, as libedit shows them: a control character
// as two, a tab up to the next stop, a newline as one.
struct edit_place edit_layout(const char *prompt, const char *text, size_t size, size_t columns);
