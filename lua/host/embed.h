// The standard library inside the binary, made at build time from stdlib/ by tools/embed.lua.
#pragma once
#include <stddef.h>

struct embedded_module {
  const char *name;  // as in require: "pact.base.text"
  const char *chunk; // the chunk's name: "@stdlib/pact/base/text.lua"
  size_t size;
  const char *source;
};

extern const struct embedded_module embedded_modules[]; // ends with a row of NULL
