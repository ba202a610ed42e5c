#include "net/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_conn.h"
#include "net/http_event.h"
#include "net/unix_socket.h"

enum { ACCEPT_BATCH = 64, RETRY_MS = 100, TICK_MS = 5 };

// Where connections come from: a listening socket, or the front's end of the socketpair.
struct http_source {
  struct list link;
  struct http_server *server;
  uint64_t id;
  uv_poll_t poll;
  int fd;
  char *path; // NULL: the front's
  dev_t device;
  ino_t inode;
};

// ---- deadlines

static void on_deadline(uv_timer_t *timer);

static void arm(struct http_server *server) {
  if (list_empty(&server->hasty)) {
    uv_timer_stop(&server->timer);
    return;
  }
  uint64_t deadline = list_entry(server->hasty.next, struct http_conn, hasty)->deadline;
  uint64_t now = loop_now_ms(server->loop);
  uv_update_time(&server->loop->uv);
  uv_timer_start(&server->timer, on_deadline, deadline > now ? deadline - now : 0, 0);
}

static void on_deadline(uv_timer_t *timer) {
  struct http_server *server = timer->data;
  uint64_t now = loop_now_ms(server->loop);
  while (!list_empty(&server->hasty)) {
    struct http_conn *conn = list_entry(server->hasty.next, struct http_conn, hasty);
    if (conn->deadline > now) break;
    list_remove(&conn->hasty);
    http_conn_expire(conn);
  }
  arm(server);
}

void http_server_hurry(struct http_server *server, struct http_conn *conn, bool hurry) {
  bool hurried = !list_empty(&conn->hasty);
  if (hurry == hurried) return;
  if (hurry) {
    conn->deadline = loop_now_ms(server->loop) + HTTP_SERVER_WHOLE_MS;
    list_append(&server->hasty, &conn->hasty);
  } else {
    list_remove(&conn->hasty);
  }
  arm(server);
}

// ---- where connections come from

static void on_source_closed(uv_handle_t *handle) {
  struct http_source *source = handle->data;
  close(source->fd);
  free(source->path);
  free(source);
}

static void source_close(struct http_source *source) {
  struct stat info;
  if (source->path && lstat(source->path, &info) == 0 && info.st_dev == source->device &&
      info.st_ino == source->inode)
    unlink(source->path);
  list_remove(&source->link);
  uv_close((uv_handle_t *)&source->poll, on_source_closed);
}

// Makes room for one more; false when all are at work.
static bool make_room(struct http_server *server) {
  if (server->conn_count < HTTP_SERVER_CLIENTS) return true;
  list_each(it, &server->conns) {
    struct http_conn *conn = list_entry(it, struct http_conn, link);
    if (!http_conn_idle(conn)) continue;
    http_conn_close(conn);
    return true;
  }
  return false;
}

static void on_source_ready(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer) {
  struct http_server *server = timer->data;
  list_each(it, &server->sources)
      uv_poll_start(&list_entry(it, struct http_source, link)->poll, UV_READABLE, on_source_ready);
}

// No descriptor is left: turns the caller away with the one kept in reserve; without it, looks
// again in a while. Waiting callers must not keep the loop spinning.
static void turn_away(struct http_source *source) {
  struct http_server *server = source->server;
  if (server->reserve_fd >= 0) {
    close(server->reserve_fd);
    int fd = unix_socket_accept(source->fd);
    if (fd >= 0) close(fd);
    server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && server->reserve_fd >= 0) return;
  }
  list_each(it, &server->sources) uv_poll_stop(&list_entry(it, struct http_source, link)->poll);
  uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
}

static void accept_all(struct http_source *source) {
  for (int i = 0; i < ACCEPT_BATCH; i++) {
    int fd = unix_socket_accept(source->fd);
    if (fd == -EAGAIN) return;
    if (fd < 0) {
      turn_away(source);
      return;
    }
    if (make_room(source->server))
      http_conn_open(source->server, fd, false);
    else
      close(fd);
  }
}

static void receive_all(struct http_source *source) {
  for (int i = 0; i < ACCEPT_BATCH; i++) {
    int fd;
    int error = unix_socket_receive_fd(source->fd, &fd);
    if (error == -EAGAIN) return;
    if (error) {
      http_event_gone(source->server->loop, source->id, "the front has ended");
      source_close(source);
      return;
    }
    if (fd >= 0) http_conn_open(source->server, fd, true);
  }
}

static void on_source_ready(uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  struct http_source *source = poll->data;
  if (source->path)
    accept_all(source);
  else
    receive_all(source);
}

static int source_open(struct http_server *server, int fd, const char *path, uint64_t *id) {
  struct http_source *source = mem_new(sizeof *source);
  *source = (struct http_source){.server = server, .fd = fd, .path = mem_strdup(path)};
  struct stat info;
  if (path && lstat(path, &info) == 0) {
    source->device = info.st_dev;
    source->inode = info.st_ino;
  }
  int error = uv_poll_init(&server->loop->uv, &source->poll, fd);
  if (error) {
    close(source->fd);
    free(source->path);
    free(source);
    return error;
  }
  source->poll.data = source;
  source->id = *id = loop_new_id(server->loop);
  list_append(&server->sources, &source->link);
  return uv_poll_start(&source->poll, UV_READABLE, on_source_ready);
}

int http_server_listen(struct http_server *server, const char *path, uint64_t *id) {
  int fd = unix_socket_listen(path);
  return fd < 0 ? fd : source_open(server, fd, path, id);
}

int http_server_front(struct http_server *server, int fd, uint64_t *id) {
  return source_open(server, fd, NULL, id);
}

// ---- life

struct http_server *http_server_create(struct loop *loop) {
  struct http_server *server = mem_new(sizeof *server);
  *server = (struct http_server){.loop = loop, .buffer = mem_new(HTTP_CONN_READ), .open_timers = 2};
  list_init(&server->sources);
  list_init(&server->conns);
  list_init(&server->hasty);
  uv_timer_init(&loop->uv, &server->timer);
  uv_timer_init(&loop->uv, &server->retry);
  server->timer.data = server->retry.data = server;
  server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return server;
}

static void on_timer_closed(uv_handle_t *handle) {
  struct http_server *server = handle->data;
  if (--server->open_timers) return;
  free(server->buffer);
  free(server);
}

void http_server_destroy(struct http_server *server) {
  if (!server) return;
  list_each(it, &server->sources) source_close(list_entry(it, struct http_source, link));
  list_each(it, &server->conns) http_conn_close(list_entry(it, struct http_conn, link));
  idmap_finish(&server->requests);
  if (server->reserve_fd >= 0) close(server->reserve_fd);
  uv_close((uv_handle_t *)&server->timer, on_timer_closed);
  uv_close((uv_handle_t *)&server->retry, on_timer_closed);
}

bool http_server_cancel(struct http_server *server, uint64_t id) {
  struct http_conn *conn = idmap_get(&server->requests, id);
  if (conn) http_conn_close(conn);
  list_each(it, &server->sources) {
    struct http_source *source = list_entry(it, struct http_source, link);
    if (source->id != id) continue;
    source_close(source);
    loop_forget(server->loop, id);
    return true;
  }
  if (conn) loop_forget(server->loop, id);
  return conn != NULL;
}

static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

void http_server_close(struct http_server *server, unsigned ms) {
  uint64_t deadline = loop_now_ms(server->loop) + ms;
  list_each(it, &server->sources) source_close(list_entry(it, struct http_source, link));
  list_each(it, &server->conns) http_conn_leave(list_entry(it, struct http_conn, link));
  uv_timer_start(&server->retry, on_tick, TICK_MS, TICK_MS);
  while (server->conn_count && loop_now_ms(server->loop) < deadline)
    uv_run(&server->loop->uv, UV_RUN_ONCE);
  uv_timer_stop(&server->retry);
  list_each(it, &server->conns) http_conn_close(list_entry(it, struct http_conn, link));
}
