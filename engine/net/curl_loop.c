#include "net/curl_loop.h"

#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

enum { READY_MAX = 64 };

struct curl_loop {
  const struct curl_api *curl;
  CURLM *multi;
  curl_loop_done_fn done;
  void *context;
  struct loop *loop;
  int epoll_fd;
  size_t transfers;
  uv_poll_t poll; // of epoll_fd
  uv_timer_t timer;
  uv_idle_t at_once; // instead of a timer of no time
  int handles;       // not closed yet
};

static void collect_done(struct curl_loop *curl_loop) {
  int left;
  for (CURLMsg *message; (message = curl_loop->curl->multi_info_read(curl_loop->multi, &left));) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL *easy = message->easy_handle;
    CURLcode result = message->data.result;
    curl_loop_remove(curl_loop, easy);
    curl_loop->done(easy, result, curl_loop->context);
  }
}

static void act(struct curl_loop *curl_loop, curl_socket_t fd, int events) {
  int running;
  curl_loop->curl->multi_socket_action(curl_loop->multi, fd, events, &running);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  struct curl_loop *curl_loop = poll->data;
  struct epoll_event ready[READY_MAX];
  int count = epoll_wait(curl_loop->epoll_fd, ready, READY_MAX, 0);
  for (int i = 0; i < count; i++) {
    uint32_t is = ready[i].events;
    act(curl_loop, ready[i].data.fd,
        (is & EPOLLIN ? CURL_CSELECT_IN : 0) | (is & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
            (is & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
  }
  collect_done(curl_loop);
}

static void time_has_come(struct curl_loop *curl_loop) {
  act(curl_loop, CURL_SOCKET_TIMEOUT, 0);
  collect_done(curl_loop);
}

static void on_timeout(uv_timer_t *timer) {
  time_has_come(timer->data);
}

static void on_at_once(uv_idle_t *idle) {
  uv_idle_stop(idle);
  time_has_come(idle->data);
}

static void no_timer(struct curl_loop *curl_loop) {
  uv_timer_stop(&curl_loop->timer);
  uv_idle_stop(&curl_loop->at_once);
}

// libcurl asks for no time at all when a fast sender had more than it reads in one go. A timer of
// no time, started by a timer's callback, is run in the same turn (libuv 1.44): a flood would hold
// the loop for as long as it lasts.
static int want_timer(CURLM *multi, long timeout_ms, void *context) {
  (void)multi;
  struct curl_loop *curl_loop = context;
  no_timer(curl_loop);
  if (timeout_ms == 0) {
    uv_idle_start(&curl_loop->at_once, on_at_once);
  } else if (timeout_ms > 0) {
    uv_update_time(&curl_loop->loop->uv);
    uv_timer_start(&curl_loop->timer, on_timeout, (uint64_t)timeout_ms, 0);
  }
  return 0;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known) {
  (void)easy;
  struct curl_loop *curl_loop = context;
  struct epoll_event event = {.data.fd = fd};
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  // An error of the change leaves the socket silent, and the deadline ends the transfer.
  if (what == CURL_POLL_REMOVE)
    epoll_ctl(curl_loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
  else if (epoll_ctl(curl_loop->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0)
    curl_loop->curl->multi_assign(curl_loop->multi, fd, curl_loop);
  return 0;
}

const struct curl_api *curl_loop_api(const struct curl_loop *curl_loop) {
  return curl_loop->curl;
}

void curl_loop_add(struct curl_loop *curl_loop, CURL *easy) {
  if (curl_loop->transfers++ == 0) uv_ref((uv_handle_t *)&curl_loop->poll);
  curl_loop->curl->multi_add_handle(curl_loop->multi, easy);
  act(curl_loop, CURL_SOCKET_TIMEOUT, 0); // it begins now, not when the timer has come round
  collect_done(curl_loop);
}

void curl_loop_remove(struct curl_loop *curl_loop, CURL *easy) {
  curl_loop->curl->multi_remove_handle(curl_loop->multi, easy);
  if (--curl_loop->transfers) return;
  uv_unref((uv_handle_t *)&curl_loop->poll); // has no sockets now, and must not keep the loop alive
  no_timer(curl_loop);
}

static void on_closed(uv_handle_t *handle) {
  struct curl_loop *curl_loop = handle->data;
  if (--curl_loop->handles) return;
  close(curl_loop->epoll_fd);
  free(curl_loop);
}

struct curl_loop *curl_loop_create(struct loop *loop, curl_loop_done_fn done, void *context,
                                   const char **why) {
  const struct curl_api *curl = curl_api_get(why);
  if (!curl) return NULL;
  *why = "no descriptor or memory is left";
  int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  CURLM *multi = epoll_fd < 0 ? NULL : curl->multi_init();
  if (!multi) {
    if (epoll_fd >= 0) close(epoll_fd);
    return NULL;
  }
  // libcurl's own descriptors aren't close-on-exec; all of this process's shall be.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  struct curl_loop *curl_loop = mem_new(sizeof *curl_loop);
  *curl_loop = (struct curl_loop){.curl = curl,
                                  .multi = multi,
                                  .done = done,
                                  .context = context,
                                  .loop = loop,
                                  .epoll_fd = epoll_fd,
                                  .handles = 3};
  curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
  curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, curl_loop);
  curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
  curl->multi_setopt(multi, CURLMOPT_TIMERDATA, curl_loop);
  uv_poll_init(&loop->uv, &curl_loop->poll, epoll_fd);
  uv_timer_init(&loop->uv, &curl_loop->timer);
  uv_idle_init(&loop->uv, &curl_loop->at_once);
  curl_loop->poll.data = curl_loop->timer.data = curl_loop->at_once.data = curl_loop;
  uv_poll_start(&curl_loop->poll, UV_READABLE, on_ready);
  uv_unref((uv_handle_t *)&curl_loop->poll);
  return curl_loop;
}

void curl_loop_destroy(struct curl_loop *curl_loop) {
  if (!curl_loop) return;
  curl_loop->curl->multi_cleanup(curl_loop->multi);
  uv_close((uv_handle_t *)&curl_loop->poll, on_closed);
  uv_close((uv_handle_t *)&curl_loop->timer, on_closed);
  uv_close((uv_handle_t *)&curl_loop->at_once, on_closed);
}
