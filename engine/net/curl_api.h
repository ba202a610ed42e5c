// The few functions of libcurl that are used, found at first need: loading it costs milliseconds
// and megabytes that a network without HTTP probes shouldn't pay. Its headers serve at build time
// only.
#pragma once
#include <curl/curl.h>

struct curl_api {
  CURLcode (*global_init)(long flags);
  CURL *(*easy_init)(void);
  CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
  CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
  void (*easy_reset)(CURL *easy);
  CURLcode (*easy_pause)(CURL *easy, int which);
  void (*easy_cleanup)(CURL *easy);
  const char *(*easy_strerror)(CURLcode code);
  CURLM *(*multi_init)(void);
  CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
  CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
  CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
  CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *running);
  CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *mark);
  CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
  CURLMcode (*multi_cleanup)(CURLM *multi);
  struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
  void (*slist_free_all)(struct curl_slist *list);
  CURLU *(*url)(void);
  void (*url_cleanup)(CURLU *url);
  CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
  CURLUcode (*url_get)(CURLU *url, CURLUPart part, char **text, unsigned flags);
  void (*free)(void *text);
};

// The table, or NULL: *why then says what is wrong, for people. Asked once; what came of it stays.
const struct curl_api *curl_api_get(const char **why);
