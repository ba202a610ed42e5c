#include "log/format.h"

#include <stdio.h>
#include <time.h>

#include "log/utf8.h"

#define STAMP_SIZE  24 // 2024-05-01T10:00:00.123Z
#define PREFIX_SIZE (STAMP_SIZE + 6)

static const char *const short_names[] = {
    [LOG_STDOUT] = "out", [LOG_STDERR] = "err", [LOG_OURS] = "own"};
static const char *const long_names[] = {
    [LOG_STDOUT] = "stdout", [LOG_STDERR] = "stderr", [LOG_OURS] = "pactlua"};

static void add_stamp(struct bytes *out, uint64_t wall_us) {
  time_t seconds = (time_t)(wall_us / 1000000);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  char stamp[64];
  size_t size = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(stamp + size, sizeof stamp - size, ".%03uZ", (unsigned)(wall_us / 1000 % 1000));
  bytes_add(out, stamp, STAMP_SIZE);
}

const char *format_stream_name(int stream) {
  return stream >= LOG_STDOUT && stream <= LOG_OURS ? long_names[stream] : "unknown";
}

static size_t plain_run(const char *bytes, size_t size) {
  size_t run = 0;
  while (run < size && bytes[run] >= 0x20 && bytes[run] < 0x7f && bytes[run] != '"' &&
         bytes[run] != '\\')
    run++;
  return run;
}

void format_json_text(struct bytes *out, const char *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    size_t run = plain_run(bytes + at, size - at);
    bytes_add(out, bytes + at, run);
    at += run;
    if (at == size) return;
    unsigned char byte = (unsigned char)bytes[at];
    int length = utf8_length(bytes + at, size - at);
    char text[8];
    int made;
    if (byte == '"' || byte == '\\')
      made = snprintf(text, sizeof text, "\\%c", byte);
    else if (byte == '\t')
      made = snprintf(text, sizeof text, "\\t");
    else if (byte < 0x20 || byte == 0x7f)
      made = snprintf(text, sizeof text, "\\u%04x", byte);
    else if (length <= 0)
      made = snprintf(text, sizeof text, "\\\\x%02x", byte);
    else {
      bytes_add(out, bytes + at, (size_t)length);
      at += (size_t)length;
      continue;
    }
    bytes_add(out, text, (size_t)made);
    at++;
  }
}

static void add_line(enum log_format format, uint64_t wall_us, int stream, bool partial,
                     const char *bytes, size_t size, struct bytes *out) {
  char text[64];
  if (format == LOG_TEXT) {
    add_stamp(out, wall_us);
    int made = snprintf(text, sizeof text, " %s%c ", short_names[stream], partial ? '+' : ' ');
    bytes_add(out, text, (size_t)made);
    bytes_add(out, bytes, size);
    bytes_add(out, "\n", 1);
    return;
  }
  bytes_add(out, "{\"time\":\"", 9);
  add_stamp(out, wall_us);
  int made = snprintf(text, sizeof text, "\",\"stream\":\"%s\",%s\"text\":\"", long_names[stream],
                      partial ? "\"partial\":true," : "");
  bytes_add(out, text, (size_t)made);
  format_json_text(out, bytes, size);
  bytes_add(out, "\"}\n", 3);
}

void format_encode(enum log_format format, uint64_t wall_us, int stream, const char *bytes,
                   size_t size_bytes, struct bytes *out) {
  for (size_t at = 0; at < size_bytes;) {
    const char *newline = memchr(bytes + at, '\n', size_bytes - at);
    size_t length = newline ? (size_t)(newline - bytes) - at : size_bytes - at;
    add_line(format, wall_us, stream, !newline, bytes + at, length, out);
    at += length + 1;
  }
}

static int hex_value(const char *digits) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    char digit = digits[i];
    int part = digit >= '0' && digit <= '9'   ? digit - '0'
               : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                              : -1;
    if (part < 0) return -1;
    value = value * 16 + part;
  }
  return value;
}

// Only what format_json_text writes: \" \\ \t \u00NN.
static size_t unescape(char *to, const char *from, size_t size) {
  size_t made = 0;
  for (size_t at = 0; at < size; at++) {
    if (from[at] != '\\' || at + 1 >= size) {
      to[made++] = from[at];
      continue;
    }
    char what = from[++at];
    if (what == 't') {
      to[made++] = '\t';
    } else if (what == 'u' && at + 4 < size && hex_value(from + at + 1) >= 0) {
      to[made++] = (char)hex_value(from + at + 1);
      at += 4;
    } else {
      to[made++] = what;
    }
  }
  return made;
}

static size_t decode_line(enum log_format format, char *to, char *line, size_t size) {
  if (format == LOG_TEXT && size >= PREFIX_SIZE && line[STAMP_SIZE - 1] == 'Z') {
    memmove(to, line + PREFIX_SIZE, size - PREFIX_SIZE);
    return size - PREFIX_SIZE;
  }
  static const char key[] = "\"text\":\"";
  char *text = format == LOG_JSON ? memmem(line, size, key, sizeof key - 1) : NULL;
  char *end = line + size - 2;
  if (text && (text += sizeof key - 1) <= end && memcmp(end, "\"}", 2) == 0)
    return unescape(to, text, (size_t)(end - text));
  memmove(to, line, size);
  return size;
}

size_t format_decode(enum log_format format, bool unterminated, char *bytes, size_t size_bytes) {
  if (format == LOG_RAW) return size_bytes;
  size_t made = 0;
  for (size_t at = 0; at < size_bytes;) {
    char *newline = memchr(bytes + at, '\n', size_bytes - at);
    size_t length = newline ? (size_t)(newline - bytes) - at : size_bytes - at;
    made += decode_line(format, bytes + made, bytes + at, length);
    at += length + 1;
    if (newline && !(unterminated && at >= size_bytes)) bytes[made++] = '\n';
  }
  return made;
}
