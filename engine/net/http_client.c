#include "net/http_client.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/idmap.h"
#include "base/mem.h"
#include "net/curl_loop.h"
#include "net/http_transfer.h"

enum { IDLE_MAX = 32 };

struct http_client {
  struct loop *loop;
  struct dns *dns;             // NULL until a name must be looked up
  struct curl_loop *curl_loop; // NULL until the first request
  struct idmap transfers;      // id → http_transfer
  struct list idle;
  size_t idle_count;
};

// ---- the life of a transfer

static void on_closed(uv_handle_t *handle) {
  free(handle->data);
}

static void transfer_free(struct http_transfer *transfer) {
  transfer->curl->easy_cleanup(transfer->easy);
  free(transfer->head.bytes);
  free(transfer->answer.bytes);
  uv_close((uv_handle_t *)&transfer->deadline, on_closed);
}

static struct http_transfer *transfer_get(struct http_client *client) {
  if (!list_empty(&client->idle)) {
    struct http_transfer *idle = list_entry(client->idle.prev, struct http_transfer, idle);
    list_remove(&idle->idle);
    client->idle_count--;
    return idle;
  }
  const struct curl_api *curl = curl_loop_api(client->curl_loop);
  CURL *easy = curl->easy_init();
  if (!easy) return NULL;
  struct http_transfer *transfer = mem_new(sizeof *transfer);
  transfer->client = client;
  transfer->curl = curl;
  transfer->easy = easy;
  list_init(&transfer->idle);
  uv_timer_init(&client->loop->uv, &transfer->deadline);
  transfer->deadline.data = transfer;
  return transfer;
}

// Ends the request; the handle rests for the next one.
static void transfer_put(struct http_transfer *transfer) {
  struct http_client *client = transfer->client;
  if (transfer->running) curl_loop_remove(client->curl_loop, transfer->easy);
  dns_drop(&transfer->query);
  uv_timer_stop(&transfer->deadline);
  idmap_remove(&client->transfers, transfer->id);
  transfer->curl->url_cleanup(transfer->parts);
  transfer->curl->slist_free_all(transfer->headers);
  transfer->curl->slist_free_all(transfer->addresses);
  free(transfer->url);
  free(transfer->host);
  free(transfer->method);
  free(transfer->body);
  free(transfer->user_agent);
  struct http_bytes head = transfer->head, answer = transfer->answer; // their memory serves again
  memset(&transfer->id, 0, sizeof *transfer - offsetof(struct http_transfer, id));
  transfer->head = head;
  transfer->answer = answer;
  if (client->idle_count >= IDLE_MAX) {
    transfer_free(transfer);
    return;
  }
  list_append(&client->idle, &transfer->idle);
  client->idle_count++;
}

struct loop *http_transfer_loop(const struct http_transfer *transfer) {
  return transfer->client->loop;
}

// ---- answers

static void event_destroy(struct event *event) {
  struct http_event *http = (struct http_event *)event;
  free(http->message);
  free(http->headers);
  free(http->text);
  free(http->body);
  free(http->url);
  free(http);
}

static struct http_event *event_new(uint64_t id) {
  struct http_event *event = mem_new(sizeof *event);
  event->event = (struct event){.kind = EV_HTTP, .id = id, .destroy = event_destroy};
  return event;
}

static void push_fault(struct loop *loop, uint64_t id, const char *code, const char *message) {
  struct http_event *event = event_new(id);
  event->code = code;
  event->message = mem_strdup(message);
  loop_push(loop, &event->event);
}

static void fail(struct http_transfer *transfer, const char *code, const char *message) {
  push_fault(transfer->client->loop, transfer->id, code, message);
  transfer_put(transfer);
}

static void succeed(struct http_transfer *transfer) {
  struct http_event *event = event_new(transfer->id);
  long status = 0;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  event->status = (int)status;
  event->headers = http_transfer_headers(transfer, &event->text);
  event->header_count = transfer->header_count;
  event->body_size = transfer->answer.size;
  event->body = transfer->answer.bytes; // NULL when there was none
  transfer->answer = (struct http_bytes){0};
  event->truncated = transfer->truncated;
  event->ms = loop_now_ms(transfer->client->loop) - transfer->begin_ms;
  event->url = transfer->url;
  transfer->url = NULL;
  loop_push(transfer->client->loop, &event->event);
  transfer_put(transfer);
}

// ---- from a URL to an exchange

static char *part_of(const struct http_transfer *transfer, CURLUPart part) {
  char *text = NULL;
  CURLUcode error = transfer->curl->url_get(transfer->parts, part, &text, CURLU_DEFAULT_PORT);
  return error ? NULL : text;
}

// Hands the addresses to libcurl, so that it looks nothing up itself.
static bool pass_addresses(struct http_transfer *transfer, const struct addresses *addresses) {
  char *port = part_of(transfer, CURLUPART_PORT);
  if (!port) return false;
  char row[512 + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 1)], ip[INET6_ADDRSTRLEN];
  int at = snprintf(row, sizeof row, "+%.400s:%s:", transfer->host, port);
  for (size_t i = 0; i < addresses->count; i++)
    at += snprintf(row + at, sizeof row - (size_t)at, "%s%s", i ? "," : "",
                   address_text(&addresses->list[i], ip));
  transfer->curl->free(port);
  transfer->curl->slist_free_all(transfer->addresses);
  transfer->addresses = transfer->curl->slist_append(NULL, row);
  return transfer->addresses != NULL;
}

static void exchange(struct http_transfer *transfer) {
  http_transfer_prepare(transfer);
  transfer->running = true;
  curl_loop_add(transfer->client->curl_loop, transfer->easy);
}

static void on_resolved(struct dns_query *query, int error, const struct addresses *addresses) {
  struct http_transfer *transfer = list_entry(query, struct http_transfer, query);
  transfer->resolving = false;
  if (error) {
    char *message = dns_explain(transfer->host, error);
    fail(transfer, "dns", message ? message : "the name can't be resolved");
    free(message);
  } else if (pass_addresses(transfer, addresses)) {
    exchange(transfer);
  } else {
    fail(transfer, "other", "out of memory");
  }
}

static void find_host(struct http_transfer *transfer) {
  struct http_client *client = transfer->client;
  struct addresses addresses;
  if (addresses_known(&addresses, transfer->host)) { // so does libcurl
    exchange(transfer);
    return;
  }
  if (!client->dns) client->dns = dns_create(client->loop);
  transfer->resolving = true;
  dns_ask(client->dns, &transfer->query, transfer->host, on_resolved);
}

// Takes `url` apart. NULL, or what is wrong with it.
static const char *set_url(struct http_transfer *transfer, const char *url) {
  CURLUcode error = transfer->curl->url_set(transfer->parts, CURLUPART_URL, url, 0);
  if (error == CURLUE_UNSUPPORTED_SCHEME) return "only http and https are spoken";
  if (error) return "not a URL such as http://host:port/path";
  char *scheme = part_of(transfer, CURLUPART_SCHEME);
  bool spoken = scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
  transfer->curl->free(scheme);
  if (!spoken) return "only http and https are spoken";
  char *host = part_of(transfer, CURLUPART_HOST);
  if (!host || !*host || strlen(host) > 255) {
    transfer->curl->free(host);
    return "not a URL such as http://host:port/path";
  }
  free(transfer->host);
  transfer->host = mem_strdup(host);
  transfer->curl->free(host);
  if (transfer->url != url) {
    free(transfer->url);
    transfer->url = mem_strdup(url);
  }
  return NULL;
}

// ---- redirects

static void drop_body(struct http_transfer *transfer) {
  free(transfer->body);
  free(transfer->method);
  transfer->body = transfer->method = NULL;
  transfer->has_body = false;
}

static void follow(struct http_transfer *transfer, long status, char *url) {
  char message[512];
  if (transfer->redirected++ == transfer->redirects) {
    snprintf(message, sizeof message, "redirected more than %u times, last to '%.300s'",
             transfer->redirects, url);
    fail(transfer, "redirects", message);
    return;
  }
  char *host = mem_strdup(transfer->host);
  const char *why = set_url(transfer, url);
  bool same = !why && strcasecmp(host, transfer->host) == 0;
  free(host);
  if (!same) {
    snprintf(message, sizeof message, "redirected to another host: '%.300s'", url);
    fail(transfer, "redirects", message);
    return;
  }
  bool head = transfer->method && strcmp(transfer->method, "HEAD") == 0;
  bool post = transfer->has_body || (transfer->method && strcmp(transfer->method, "POST") == 0);
  if (!head && (status == 303 || (status < 303 && post))) drop_body(transfer);
  find_host(transfer);
}

static bool redirected(struct http_transfer *transfer) {
  long status = 0;
  char *location = NULL;
  if (!http_transfer_redirects(transfer, &location)) return false;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  char *url = mem_strdup(location); // libcurl's goes with the next use of the handle
  follow(transfer, status, url);
  free(url);
  return true;
}

static void on_done(CURL *easy, CURLcode result, void *context) {
  struct http_client *client = context;
  struct http_transfer *transfer = NULL;
  curl_loop_api(client->curl_loop)->easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
  transfer->running = false;
  bool capped = result == CURLE_WRITE_ERROR && transfer->truncated;
  if (result == CURLE_OK || capped) {
    if (!redirected(transfer)) succeed(transfer);
    return;
  }
  struct http_fault fault;
  http_fault_of(transfer, result, &fault);
  fail(transfer, fault.code, fault.message);
}

static void on_deadline(uv_timer_t *timer) {
  struct http_transfer *transfer = timer->data;
  struct http_fault fault;
  http_fault_late(transfer, &fault);
  fail(transfer, fault.code, fault.message);
}

// ---- requests

static bool copy_headers(struct http_transfer *transfer, const struct http_options *options) {
  const struct curl_api *curl = transfer->curl;
  // A large body is sent without asking for leave first.
  transfer->headers = options->body ? curl->slist_append(NULL, "Expect:") : NULL;
  for (size_t i = 0; i < options->header_count; i++) {
    const struct http_pair *pair = &options->headers[i];
    char *line = NULL; // a header without a value needs a semicolon instead of the colon
    int size = *pair->value ? asprintf(&line, "%s: %s", pair->name, pair->value)
                            : asprintf(&line, "%s;", pair->name);
    struct curl_slist *grown = size < 0 ? NULL : curl->slist_append(transfer->headers, line);
    if (size >= 0) free(line);
    if (!grown) return false;
    transfer->headers = grown;
  }
  return true;
}

static bool copy_options(struct http_transfer *transfer, const struct http_options *options) {
  transfer->method = mem_strdup(options->method);
  transfer->user_agent = mem_strdup(options->user_agent);
  transfer->timeout_ms = options->timeout_ms;
  transfer->max_body = options->max_body;
  transfer->redirects = options->redirects;
  transfer->insecure = options->insecure;
  transfer->stream = options->stream;
  transfer->has_body = options->body != NULL;
  transfer->body_size = options->body_size;
  transfer->body = options->body ? malloc(options->body_size + 1) : NULL;
  if (options->body && !transfer->body) return false;
  if (options->body) memcpy(transfer->body, options->body, options->body_size);
  transfer->parts = transfer->curl->url();
  return transfer->parts && copy_headers(transfer, options);
}

static void begin(struct http_transfer *transfer, const struct http_options *options) {
  struct http_client *client = transfer->client;
  idmap_set(&client->transfers, transfer->id, transfer);
  transfer->begin_ms = loop_now_ms(client->loop);
  uv_update_time(&client->loop->uv);
  uv_timer_start(&transfer->deadline, on_deadline, options->timeout_ms, 0);
  if (!copy_options(transfer, options)) {
    fail(transfer, "other", "out of memory");
    return;
  }
  const char *why = set_url(transfer, options->url);
  if (why)
    fail(transfer, "other", why);
  else
    find_host(transfer);
}

uint64_t http_client_request(struct http_client *client, const struct http_options *options) {
  uint64_t id = loop_new_id(client->loop);
  const char *why = NULL;
  if (!client->curl_loop) client->curl_loop = curl_loop_create(client->loop, on_done, client, &why);
  struct http_transfer *transfer = client->curl_loop ? transfer_get(client) : NULL;
  if (transfer) {
    transfer->id = id;
    begin(transfer, options);
  } else {
    push_fault(client->loop, id, "other", why ? why : "out of memory");
  }
  return id;
}

bool http_client_more(struct http_client *client, uint64_t id) {
  struct http_transfer *transfer = idmap_get(&client->transfers, id);
  if (!transfer || !transfer->held) return transfer != NULL;
  transfer->held = false;
  uv_update_time(&client->loop->uv);
  uv_timer_start(&transfer->deadline, on_deadline, transfer->timeout_ms, 0);
  transfer->curl->easy_pause(transfer->easy, CURLPAUSE_CONT);
  return true;
}

bool http_client_cancel(struct http_client *client, uint64_t id) {
  struct http_transfer *transfer = idmap_get(&client->transfers, id);
  if (transfer) transfer_put(transfer);
  return transfer != NULL;
}

struct http_client *http_client_create(struct loop *loop) {
  struct http_client *client = mem_new(sizeof *client);
  client->loop = loop;
  list_init(&client->idle);
  return client;
}

void http_client_destroy(struct http_client *client) {
  if (!client) return;
  size_t at = 0;
  void *transfer;
  while (idmap_next(&client->transfers, &at, NULL, &transfer)) transfer_put(transfer);
  list_each(it, &client->idle) transfer_free(list_entry(it, struct http_transfer, idle));
  idmap_finish(&client->transfers);
  curl_loop_destroy(client->curl_loop);
  dns_destroy(client->dns);
  free(client);
}
