// The standard library inside the binary, compiled at build time from stdlib/ by tools/embed.lua.
// No pointers are in it, so the loader need not touch its pages.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct embedded_module {
  char name[56];         // as in require: "pact.base.text"
  uint32_t offset, size; // in embedded_code
};

extern const struct embedded_module embedded_modules[]; // ends with an empty name
extern const char embedded_code[];                      // on a page of its own
extern const size_t embedded_size;
