#include "net/http_transfer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

// Of one answer's head; and of all heads of an exchange, interim answers' too.
enum { HEAD_MAX = 64 * 1024, HEAD_SEEN_MAX = 256 * 1024 };

bool http_bytes_add(struct http_bytes *to, const char *bytes, size_t size) {
  size_t needed = to->size + size + 1;
  if (needed > to->capacity) {
    size_t capacity = to->capacity ? to->capacity : 256;
    while (capacity < needed) capacity *= 2;
    char *grown = realloc(to->bytes, capacity);
    if (!grown) return false;
    to->bytes = grown;
    to->capacity = capacity;
  }
  memcpy(to->bytes + to->size, bytes, size);
  to->size += size;
  to->bytes[to->size] = '\0';
  return true;
}

void http_transfer_clear(struct http_transfer *transfer) {
  transfer->head.size = transfer->answer.size = transfer->header_count = 0;
  transfer->truncated = false;
}

struct http_pair *http_transfer_headers(const struct http_transfer *transfer, char **text) {
  *text = mem_dup(transfer->head.bytes, transfer->head.size);
  struct http_pair *headers = mem_new(transfer->header_count * sizeof *headers);
  const char *at = *text;
  for (size_t i = 0; i < transfer->header_count; i++) {
    const char *value = at + strlen(at) + 1;
    headers[i] = (struct http_pair){at, value};
    at = value + strlen(value) + 1;
  }
  return headers;
}

bool http_transfer_redirects(const struct http_transfer *transfer, char **location) {
  long status = 0;
  *location = NULL;
  if (!transfer->redirects) return false;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, location);
  bool elsewhere =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  return elsewhere && *location;
}

static void add_header(struct http_transfer *transfer, const char *line, size_t size) {
  const char *colon = memchr(line, ':', size);
  if (!colon) return;
  const char *value = colon + 1, *end = line + size;
  while (value < end && (*value == ' ' || *value == '\t')) value++;
  while (end > value && strchr(" \t\r\n", end[-1])) end--;
  size_t name_at = transfer->head.size, name_size = (size_t)(colon - line);
  if (!http_bytes_add(&transfer->head, line, name_size) ||
      !http_bytes_add(&transfer->head, "", 1) ||
      !http_bytes_add(&transfer->head, value, (size_t)(end - value)) ||
      !http_bytes_add(&transfer->head, "", 1)) {
    transfer->no_memory = true;
    return;
  }
  for (char *at = transfer->head.bytes + name_at; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
  transfer->header_count++;
}

// libcurl gives one line at a time, each answer's status line among them: what came before one was
// of an interim answer.
static size_t on_header(char *line, size_t one, size_t size, void *context) {
  (void)one;
  struct http_transfer *transfer = context;
  if (size > 5 && memcmp(line, "HTTP/", 5) == 0) http_transfer_clear(transfer);
  transfer->head_seen += size;
  if (transfer->head.size + size > HEAD_MAX || transfer->head_seen > HEAD_SEEN_MAX) {
    transfer->head_too_large = true;
    return 0;
  }
  if (!memchr(line, '\0', size)) add_header(transfer, line, size);
  return transfer->no_memory ? 0 : size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
  (void)one;
  struct http_transfer *transfer = context;
  if (transfer->stream) return http_stream_take(transfer, bytes, size);
  size_t room = transfer->max_body - transfer->answer.size;
  size_t taken = size < room ? size : room;
  if (!http_bytes_add(&transfer->answer, bytes, taken)) {
    transfer->no_memory = true;
    return 0;
  }
  transfer->truncated = taken < size;
  return taken == size ? size : 0; // less: libcurl ends the transfer
}

static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)context, (void)purpose;
  return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                address->protocol);
}

static void prepare_method(struct http_transfer *transfer) {
  const struct curl_api *curl = transfer->curl;
  CURL *easy = transfer->easy;
  if (transfer->has_body) {
    curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_size);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
  }
  if (transfer->method && strcmp(transfer->method, "HEAD") == 0)
    curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
  else if (transfer->method)
    curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
}

static void prepare_safety(struct http_transfer *transfer) {
  const struct curl_api *curl = transfer->curl;
  CURL *easy = transfer->easy;
  curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl->easy_setopt(easy, CURLOPT_PROXY, ""); // none, whatever the environment says
  curl->easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl->easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl->easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, transfer->insecure ? 0L : 1L);
  curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, transfer->insecure ? 0L : 2L);
  curl->easy_setopt(easy, CURLOPT_RESOLVE, transfer->addresses);
}

void http_transfer_prepare(struct http_transfer *transfer) {
  const struct curl_api *curl = transfer->curl;
  CURL *easy = transfer->easy;
  http_transfer_clear(transfer);
  transfer->error[0] = '\0';
  curl->easy_reset(easy);
  prepare_safety(transfer);
  prepare_method(transfer);
  curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
  curl->easy_setopt(easy, CURLOPT_CURLU, transfer->parts);
  curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl->easy_setopt(easy, CURLOPT_USERAGENT,
                    transfer->user_agent ? transfer->user_agent : "pactlua");
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
}
