#include "log/index.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static_assert(sizeof(struct index_header) == 64, "the header is part of the file format");
static_assert(sizeof(struct index_record) == 40, "the record is part of the file format");

static const char magic[8] = {'P', 'A', 'C', 'T', 'I', 'D', 'X', '\n'};

static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static uint64_t header_check(const struct index_header *header) {
  uint64_t hash = mix(header->version, header->record_size);
  hash = mix(mix(hash, header->segment), header->base_offset);
  return mix(mix(hash, header->wall_us), header->format);
}

void index_header_init(struct index_header *header, uint64_t segment, uint64_t base_offset,
                       uint64_t wall_us, uint32_t format) {
  *header = (struct index_header){.version = INDEX_VERSION,
                                  .record_size = sizeof(struct index_record),
                                  .segment = segment,
                                  .base_offset = base_offset,
                                  .wall_us = wall_us,
                                  .format = format};
  memcpy(header->magic, magic, sizeof magic);
  header->check = header_check(header);
}

bool index_header_valid(const struct index_header *header) {
  return memcmp(header->magic, magic, sizeof magic) == 0 && header->version == INDEX_VERSION &&
         header->record_size == sizeof(struct index_record) &&
         header->check == header_check(header);
}

static uint8_t record_check(const struct index_record *record) {
  uint64_t words[5];
  struct index_record plain = *record;
  plain.check = 0x5a;
  memcpy(words, &plain, sizeof words);
  uint64_t hash = 0;
  for (int i = 0; i < 5; i++) hash = mix(hash, words[i]);
  return (uint8_t)(hash >> 32);
}

void index_record_seal(struct index_record *record) {
  record->check = record_check(record);
}

bool index_record_valid(const struct index_record *record) {
  return record->length > 0 && record->length <= INDEX_LENGTH_MAX && record->stream >= 1 &&
         record->stream <= 3 && record->check == record_check(record);
}

char *index_path(const char *stem, const char *suffix, unsigned rotation) {
  size_t size = strlen(stem) + strlen(suffix) + 16;
  char *path = mem_new(size);
  if (rotation)
    snprintf(path, size, "%s.%s.%u", stem, suffix, rotation);
  else
    snprintf(path, size, "%s.%s", stem, suffix);
  return path;
}

// Sixteen lanes of bytes at a time, summed before a lane can overflow: compilers turn this into
// vector code at any level of optimisation that matters.
#define LANES 64
size_t index_count_newlines(const char *bytes, size_t size_bytes) {
  size_t count = 0, at = 0;
  while (size_bytes - at >= LANES) {
    uint8_t sums[LANES] = {0};
    size_t rounds = (size_bytes - at) / LANES;
    if (rounds > 255) rounds = 255;
    for (size_t round = 0; round < rounds; round++, at += LANES)
      for (int lane = 0; lane < LANES; lane++) sums[lane] += bytes[at + (size_t)lane] == '\n';
    for (int lane = 0; lane < LANES; lane++) count += sums[lane];
  }
  for (; at < size_bytes; at++) count += bytes[at] == '\n';
  return count;
}
