#include "net/http_message.h"

#include <http_parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void http_message_finish(struct http_message *message) {
  free(message->query);
  free(message->headers);
  free(message->body);
  free(message->text);
  *message = (struct http_message){0};
}

const char *http_message_header(const struct http_message *message, const char *name) {
  for (size_t i = 0; i < message->header_count; i++)
    if (strcmp(message->headers[i].name, name) == 0) return message->headers[i].value;
  return NULL;
}

// Length of the well-formed UTF-8 sequence at `at`, 0 when it is none or a control character.
static size_t sequence(const unsigned char *at, const unsigned char *end) {
  if (*at < 0x20 || *at == 0x7f) return 0;
  if (*at < 0x80) return 1;
  size_t size = *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;
  if (size == 0 || (size_t)(end - at) < size) return 0;
  for (size_t i = 1; i < size; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  bool beyond = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
  return overlong || beyond ? 0 : size;
}

static bool readable(const char *text, size_t size) {
  const unsigned char *at = (const unsigned char *)text, *end = at + size;
  while (at < end) {
    size_t step = sequence(at, end);
    if (!step) return false;
    at += step;
  }
  return true;
}

static int hex(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// Decodes `size` bytes in place and ends them with NUL.
static bool decode(char *text, size_t size, bool plus_is_space) {
  char *out = text;
  for (const char *at = text, *end = text + size; at < end; at++) {
    if (*at == '%') {
      if (end - at < 3 || hex(at[1]) < 0 || hex(at[2]) < 0) return false;
      *out++ = (char)(hex(at[1]) * 16 + hex(at[2]));
      at += 2;
    } else {
      *out++ = *at == '+' && plus_is_space ? ' ' : *at;
    }
  }
  *out = '\0';
  return readable(text, (size_t)(out - text));
}

static bool split_query(struct http_message *message, char *text, size_t size) {
  size_t parts = 1;
  for (size_t i = 0; i < size; i++) parts += text[i] == '&';
  message->query = calloc(parts, sizeof *message->query);
  if (!message->query) return true;
  for (char *at = text, *end = text + size; at < end;) {
    char *stop = memchr(at, '&', (size_t)(end - at));
    if (!stop) stop = end;
    char *equals = memchr(at, '=', (size_t)(stop - at));
    char *value = equals ? equals + 1 : stop;
    size_t value_size = (size_t)(stop - value);
    if (stop > at) {
      if (equals && !decode(value, value_size, true)) return false;
      if (!decode(at, (size_t)((equals ? equals : stop) - at), true)) return false;
      message->query[message->query_count++] = (struct http_pair){at, equals ? value : ""};
    }
    at = stop + 1;
  }
  return true;
}

// What stands between http:// and the path: moved over the last slash, so that a NUL fits behind
// it.
static char *authority_of(const struct http_parser_url *url, char *text) {
  if (!(url->field_set & (1 << UF_SCHEMA))) return NULL;
  size_t at = (size_t)url->field_data[UF_SCHEMA].off + url->field_data[UF_SCHEMA].len + 3;
  size_t size = url->field_data[UF_PATH].off - at;
  memmove(text + at - 1, text + at, size);
  text[at - 1 + size] = '\0';
  return text + at - 1;
}

bool http_message_target(struct http_message *message, char *text, size_t size) {
  struct http_parser_url url;
  http_parser_url_init(&url);
  if (http_parser_parse_url(text, size, 0, &url)) return false;
  if (!(url.field_set & (1 << UF_PATH))) return false;
  char *path = text + url.field_data[UF_PATH].off;
  if (url.field_set & (1 << UF_QUERY)) {
    char *query = text + url.field_data[UF_QUERY].off;
    if (!split_query(message, query, url.field_data[UF_QUERY].len)) return false;
  }
  size_t path_size = url.field_data[UF_PATH].len;
  if (path[0] != '/' && !(path_size == 1 && path[0] == '*')) return false; // `OPTIONS *`
  if (!decode(path, path_size, false)) return false;
  message->path = path;
  message->authority = authority_of(&url, text);
  return true;
}

bool http_pair_valid(const struct http_pair *pair) {
  static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (!*pair->name || pair->name[strspn(pair->name, token)]) return false;
  return pair->value[strcspn(pair->value, "\r\n")] == '\0';
}
