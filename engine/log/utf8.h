// What is text and what is not.
#pragma once
#include <stddef.h>

// The length of the valid UTF-8 character at `bytes`: 1–4; 0 when it is none (overlong forms and
// surrogates are none); -1 when it may become one with more bytes.
int utf8_length(const char *bytes, size_t size_bytes);
