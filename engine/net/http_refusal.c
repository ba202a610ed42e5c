#include "net/http_refusal.h"

#include <http_parser.h>
#include <stdio.h>

// A word for programs; what people are told is more particular.
static const char *code_of(int status) {
  static const struct {
    int status;
    const char *code;
  } codes[] = {
      {400, "EINVAL"},      {408, "timeout"},   {413, "too_large"},
      {414, "too_large"},   {431, "too_large"}, {500, "ENOMEM"},
      {501, "unsupported"}, {503, "busy"},      {505, "version"},
  };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (codes[i].status == status) return codes[i].code;
  return "refused";
}

enum { WHY_MAX = 150, BODY_SIZE = 6 * WHY_MAX + 64 };

// `why` as JSON has it in its quotes.
static void quote(const char *why, char *out, size_t size) {
  size_t at = 0;
  for (size_t i = 0; why[i] && i < WHY_MAX; i++) {
    unsigned char byte = (unsigned char)why[i];
    const char *form = byte == '"' || byte == '\\' ? "\\%c" : byte < 0x20 ? "\\u%04x" : "%c";
    at += (size_t)snprintf(out + at, size - at, form, byte);
  }
}

static int body_of(const struct http_refusal *refusal, char *body, size_t size) {
  if (!refusal->json) return snprintf(body, size, "%.*s\n", WHY_MAX, refusal->why);
  char why[6 * WHY_MAX + 1] = "";
  quote(refusal->why, why, sizeof why);
  return snprintf(body, size, "{\"code\":\"%s\",\"error\":\"%s\"}\n", code_of(refusal->status),
                  why);
}

size_t http_refusal_text(const struct http_refusal *refusal, char text[HTTP_REFUSAL_SIZE]) {
  char body[BODY_SIZE];
  int size = body_of(refusal, body, sizeof body);
  return (size_t)snprintf(text, HTTP_REFUSAL_SIZE,
                          "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
                          "Connection: close\r\n\r\n%s",
                          refusal->status, http_status_str((enum http_status)refusal->status),
                          refusal->json ? "application/json" : "text/plain; charset=utf-8", size,
                          refusal->body ? body : "");
}
