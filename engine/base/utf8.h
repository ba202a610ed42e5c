// UTF-8 as terminals see it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define UTF8_INVALID UINT32_C(0xFFFFFFFF)

// Takes the next character from *at, which moves behind it. An invalid byte gives UTF8_INVALID and
// moves by one. *at must be before `end`.
uint32_t utf8_next(const char **at, const char *end);

// Columns of a character: 0, 1 or 2. Control characters take none, invalid bytes one.
int utf8_columns(uint32_t character);

// Columns of a text; escape sequences (CSI, OSC) take none.
size_t utf8_width(const char *text, size_t size_bytes);

// How many bytes of the text fit into `columns`, never cutting a character.
size_t utf8_fit(const char *text, size_t size_bytes, size_t columns);
