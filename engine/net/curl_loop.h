// libcurl's transfers on the loop: one epoll descriptor holds their sockets, one timer their
// timeouts. While nothing is under way neither is active.
#pragma once
#include "loop/loop.h"
#include "net/curl_api.h"

struct curl_loop;

// The transfer has ended and is no longer libcurl's business. May start others.
typedef void (*curl_loop_done_fn)(CURL *easy, CURLcode result, void *context);

// NULL and *why when libcurl isn't there, or the system refuses.
struct curl_loop *curl_loop_create(struct loop *loop, curl_loop_done_fn done, void *context,
                                   const char **why);
void curl_loop_destroy(
    struct curl_loop *curl_loop); // NULL is fine; transfers must have been removed

const struct curl_api *curl_loop_api(const struct curl_loop *curl_loop);
// Begins at once: the end may be told before this returns.
void curl_loop_add(struct curl_loop *curl_loop, CURL *easy);
// Breaks it off; its end isn't told. Not from `done` of the same transfer.
void curl_loop_remove(struct curl_loop *curl_loop, CURL *easy);
