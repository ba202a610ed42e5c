// The index of a log: `<name>.idx` says of every chunk in `<name>.log` where it lies, when it
// came, from which stream and incarnation. A log is a row of *segments*: the file being written
// has no number behind its name, `.1` is the one before, and so on; each has its own index.
//
// A file is one header and then records, in the byte order of the machine. Offsets count from the
// first byte of the log's first segment, so that they stay true through rotation.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_VERSION    1u
#define INDEX_LENGTH_MAX (16u << 20) // a longer chunk is a damaged record
#define INDEX_LINE_MAX   (64u << 10) // an unterminated line is cut here

struct index_header {
  char magic[8];
  uint32_t version;
  uint32_t record_size;
  uint64_t segment;     // 1, 2, 3 … of this log
  uint64_t base_offset; // of this segment's first byte
  uint64_t wall_us;     // when it was made
  uint32_t format;      // enum log_format of the bytes
  uint32_t sealed;      // 1: no record follows here; `segment + 1` exists or will
  uint64_t check;       // over all but `sealed`
  uint64_t reserved;
};

enum index_flag {
  INDEX_UNTERMINATED = 1, // does not end in a newline
  INDEX_CONTINUES = 2,    // goes on with the unterminated line of the same stream and source
  INDEX_ORPHANED = 4,     // came from what its program had left behind
  INDEX_RECOVERED = 8,    // found in the file without a record: stream and time are guesses
};

struct index_record {
  uint64_t offset;
  uint64_t wall_us;
  uint64_t mono_us; // comparable between all logs written since the machine started
  uint32_t length;
  uint32_t epoch;
  uint32_t lines; // newlines in the chunk
  uint8_t stream; // enum log_stream
  uint8_t source; // tells pipes of the same stream apart; comes round after 255
  uint8_t flags;
  uint8_t check;
};

void index_header_init(struct index_header *header, uint64_t segment, uint64_t base_offset,
                       uint64_t wall_us, uint32_t format);
bool index_header_valid(const struct index_header *header);

void index_record_seal(struct index_record *record); // fills in `check`
bool index_record_valid(const struct index_record *record);

// `<stem>.log` and `<stem>.idx`, with `.rotation` behind when that is not 0; from malloc.
char *index_path(const char *stem, const char *suffix, unsigned rotation);

size_t index_count_newlines(const char *bytes, size_t size_bytes);
