#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *block) {
  if (block) return block;
  fputs("pactlua: out of memory\n", stderr);
  _exit(1);
}

void *mem_new(size_t size_bytes) {
  return checked(calloc(1, size_bytes ? size_bytes : 1));
}

void *mem_resize(void *block, size_t size_bytes) {
  return checked(realloc(block, size_bytes ? size_bytes : 1));
}

char *mem_strdup(const char *text) {
  return text ? mem_dup(text, strlen(text)) : NULL;
}

char *mem_dup(const void *bytes, size_t size_bytes) {
  char *copy = checked(malloc(size_bytes + 1));
  if (size_bytes) memcpy(copy, bytes, size_bytes);
  copy[size_bytes] = '\0';
  return copy;
}
