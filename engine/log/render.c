#include "log/render.h"

#include <string.h>

#include "log/utf8.h"

static void put_escape(struct render *render, unsigned char byte) {
  static const char digits[] = "0123456789abcdef";
  char text[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  out_put(render->out, text, sizeof text);
}

// The length of a colour sequence (ESC [ … m); 0: something else; -1: may become one.
static int colour_length(const char *bytes, size_t size) {
  if (size < 2) return -1;
  if (bytes[1] != '[') return 0;
  size_t at = 2;
  while (at < size && at < sizeof((struct render *)0)->held - 1 &&
         ((bytes[at] >= '0' && bytes[at] <= '9') || bytes[at] == ';' || bytes[at] == ':'))
    at++;
  if (at == size && at < sizeof((struct render *)0)->held - 1) return -1;
  return at < size && bytes[at] == 'm' ? (int)at + 1 : 0;
}

static void put_colour(struct render *render, const char *bytes, size_t size) {
  out_put(render->out, bytes, size);
  render->coloured = !(size == 3 || (size == 4 && bytes[2] == '0')); // ESC[m and ESC[0m
}

static bool is_plain(unsigned char byte) {
  return (byte >= 0x20 && byte < 0x7f) || byte == '\t';
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// How many plain bytes stand at the beginning; eight are looked at together.
static size_t plain_length(const char *bytes, size_t size) {
  size_t at = 0;
  for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
    memcpy(&word, bytes + at, sizeof word);
    uint64_t control = word - EACH(0x20), del = (word ^ EACH(0x7f)) - EACH(1);
    if ((word | control | del) & EACH(0x80)) break; // perhaps a tab, or a false alarm
  }
  while (at < size && is_plain((unsigned char)bytes[at])) at++;
  return at;
}

// One character or sequence that isn't plain: how many bytes it took; 0: more are needed to tell.
static size_t put_special(struct render *render, const char *bytes, size_t size) {
  unsigned char byte = (unsigned char)bytes[0];
  if (byte == 0x1b) {
    int length = colour_length(bytes, size);
    if (length < 0) return 0;
    if (length > 0) {
      put_colour(render, bytes, (size_t)length);
      return (size_t)length;
    }
  }
  int length = byte >= 0x80 ? utf8_length(bytes, size) : 0;
  if (length < 0) return 0;
  bool control = length == 2 && byte == 0xc2 && (unsigned char)bytes[1] < 0xa0;
  if (length > 0 && !control) {
    out_put(render->out, bytes, (size_t)length);
    return (size_t)length;
  }
  put_escape(render, byte);
  if (control) put_escape(render, (unsigned char)bytes[1]);
  return control ? 2 : 1;
}

// How much was put: less than all only when `more` may come and the end is open to both readings.
static size_t put_escaped(struct render *render, const char *bytes, size_t size, bool more) {
  for (size_t at = 0; at < size;) {
    size_t plain = plain_length(bytes + at, size - at);
    if (plain) out_put(render->out, bytes + at, plain);
    at += plain;
    if (at == size) break;
    bool last = at + 1 == size;
    if (bytes[at] == '\r' && last && more) return at;
    if (bytes[at] == '\r' && last) {
      out_put(render->out, "\r", 1);
      break;
    }
    size_t taken = put_special(render, bytes + at, size - at);
    if (!taken && more) return at;
    if (!taken) put_escape(render, (unsigned char)bytes[at]);
    at += taken ? taken : 1;
  }
  return size;
}

static void put_line(struct render *render, const char *bytes, size_t size, bool ends) {
  if (!render->escape) {
    out_put(render->out, bytes, size);
    return;
  }
  if (render->held_size) {
    render->joined.size = 0;
    bytes_add(&render->joined, render->held, render->held_size);
    bytes_add(&render->joined, bytes, size);
    bytes = render->joined.data;
    size = render->joined.size;
    render->held_size = 0;
  }
  size_t put = put_escaped(render, bytes, size, !ends);
  render->held_size = size - put;
  memcpy(render->held, bytes + put, render->held_size);
}

static void end_colour(struct render *render) {
  if (render->coloured) out_put(render->out, "\x1b[0m", 4);
  render->coloured = false;
}

// Ends a line that its owner has not ended.
static void cut_line(struct render *render) {
  if (!render->open) return;
  if (render->escape) {
    if (render->held_size) put_line(render, "", 0, true);
    end_colour(render);
    if (render->owner) out_put(render->out, " \\", 2);
  }
  out_put(render->out, "\n", 1);
  render->open = false;
}

static void render_line(struct render *render, const char *bytes, size_t size, bool ends) {
  put_line(render, bytes, size, ends);
  render->open = !ends;
  if (!ends) return;
  end_colour(render);
  out_put(render->out, "\n", 1);
}

void render_finish(struct render *render) {
  bytes_finish(&render->joined);
}

void render_chunk(struct render *render, uint64_t owner, bool goes_on, const char *prefix,
                  size_t prefix_size, const char *bytes, size_t size) {
  if (render->open && (render->owner != owner || !goes_on)) cut_line(render);
  render->owner = owner;
  for (const char *at = bytes, *end = bytes + size; at < end;) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((newline ? newline : end) - at);
    if (!render->open) out_put(render->out, prefix, prefix_size);
    render_line(render, at, length, newline != NULL);
    at += length + 1;
  }
}

void render_text(struct render *render, const char *text, size_t size) {
  cut_line(render);
  if (!size) return;
  out_put(render->out, text, size);
  render->open = text[size - 1] != '\n';
  render->owner = 0;
}
