// The two opt-in ways of writing a log, a line each:
//   text  2024-05-01T10:00:00.123Z out  what was written      (out, err, own; '+' behind the
//   json  {"time":"…","stream":"stdout","text":"…"}            stream, "partial":true: goes on)
// Bytes that are no UTF-8 become \xNN in json; in text they stay.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/bytes.h"
#include "log/logs.h"

// Adds every line in `bytes`; the last one without a newline is marked as going on.
void format_encode(enum log_format format, uint64_t wall_us, int stream, const char *bytes,
                   size_t size_bytes, struct bytes *out);
// Back to what was written, in place: the new size. `unterminated`: the last line had no newline.
// What wasn't made by format_encode stays as it is.
size_t format_decode(enum log_format format, bool unterminated, char *bytes, size_t size_bytes);
// The inside of a JSON string; bytes that are no UTF-8 become \xNN.
void format_json_text(struct bytes *out, const char *bytes, size_t size);
// stdout, stderr, or pactlua: ours.
const char *format_stream_name(int stream);
