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

static const struct http_limits control_limits = {
    .head_ms = HTTP_SERVER_WHOLE_MS,
    .body_bytes = HTTP_REQUEST_BODY_MAX,
    .clients = HTTP_SERVER_CLIENTS,
    .give_way = true,
    .json_refusals = true,
};

// ---- where connections come from

void http_source_release(struct http_source *source) {
  if (--source->users) return;
  free(source->path);
  free(source);
}

static void on_source_closed(uv_handle_t *handle) {
  http_source_release(handle->data);
}

// The descriptor is closed here and now: its address is free for who listens next.
static void source_close(struct http_source *source) {
  struct stat info;
  if (source->path && lstat(source->path, &info) == 0 && info.st_dev == source->device &&
      info.st_ino == source->inode)
    unlink(source->path);
  list_remove(&source->link);
  uv_close((uv_handle_t *)&source->poll, on_source_closed);
  close(source->fd);
}

static struct http_conn *find_conn(const struct http_source *source,
                                   bool (*wanted)(const struct http_conn *conn)) {
  list_each(it, &source->server->conns) {
    struct http_conn *conn = list_entry(it, struct http_conn, link);
    if (conn->source == source && wanted(conn)) return conn;
  }
  return NULL;
}

// Makes room for one more by closing a connection that is idle, else one that is only refused still
// or takes long to ask; false when all are at work.
static bool make_room(struct http_source *source) {
  struct http_conn *conn = find_conn(source, http_conn_idle);
  if (!conn) conn = find_conn(source, http_conn_dawdles);
  if (conn) http_conn_close(conn);
  return conn != NULL;
}

static void admit(struct http_source *source, int fd) {
  bool room = source->conn_count < source->limits.clients;
  if (!room && source->limits.give_way) room = make_room(source);
  bool surplus = source->conn_count < source->limits.clients + HTTP_CONN_SURPLUS;
  if (room || surplus)
    http_conn_open(source, fd, !room);
  else
    close(fd);
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
    admit(source, fd);
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
    if (fd >= 0) admit(source, fd);
  }
}

static void on_source_ready(uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  struct http_source *source = poll->data;
  if (source->listens)
    accept_all(source);
  else
    receive_all(source);
}

static void note_file(struct http_source *source) {
  struct stat info;
  if (!source->path || lstat(source->path, &info) != 0) return;
  source->device = info.st_dev;
  source->inode = info.st_ino;
}

// `like` is copied; it says what the source is.
static int source_open(struct http_server *server, const struct http_source *like, uint64_t *id) {
  struct http_source *source = mem_new(sizeof *source);
  *source = *like;
  source->server = server;
  source->users = 1;
  source->path = mem_strdup(like->path);
  note_file(source);
  int error = uv_poll_init(&server->loop->uv, &source->poll, source->fd);
  if (error) {
    close(source->fd);
    http_source_release(source);
    return error;
  }
  source->poll.data = source;
  source->id = *id = loop_new_id(server->loop);
  list_append(&server->sources, &source->link);
  return uv_poll_start(&source->poll, UV_READABLE, on_source_ready);
}

int http_server_listen(struct http_server *server, const char *path, uint64_t *id) {
  int fd = unix_socket_listen(path);
  struct http_source like = {
      .fd = fd, .path = (char *)path, .listens = true, .control = true, .limits = control_limits};
  return fd < 0 ? fd : source_open(server, &like, id);
}

int http_server_serve(struct http_server *server, int fd, const char *path,
                      const struct http_limits *limits, uint64_t *id) {
  struct http_source like = {
      .fd = fd, .path = (char *)path, .listens = true, .tcp = !path, .limits = *limits};
  return source_open(server, &like, id);
}

int http_server_front(struct http_server *server, int fd, uint64_t *id) {
  struct http_source like = {.fd = fd, .control = true, .limits = control_limits};
  return source_open(server, &like, id);
}

// ---- life

struct http_server *http_server_create(struct loop *loop) {
  struct http_server *server = mem_new(sizeof *server);
  *server = (struct http_server){.loop = loop, .buffer = mem_new(HTTP_CONN_READ)};
  list_init(&server->sources);
  list_init(&server->conns);
  uv_timer_init(&loop->uv, &server->retry);
  server->retry.data = server;
  server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return server;
}

static void on_timer_closed(uv_handle_t *handle) {
  struct http_server *server = handle->data;
  free(server->buffer);
  free(server);
}

void http_server_destroy(struct http_server *server) {
  if (!server) return;
  list_each(it, &server->sources) source_close(list_entry(it, struct http_source, link));
  list_each(it, &server->conns) http_conn_close(list_entry(it, struct http_conn, link));
  idmap_finish(&server->requests);
  if (server->reserve_fd >= 0) close(server->reserve_fd);
  uv_close((uv_handle_t *)&server->retry, on_timer_closed);
}

// A connection whose listener is gone: what is queued of its answers is still written.
static void let_go(struct http_conn *conn) {
  uint64_t request = conn->request;
  if (request) {
    idmap_remove(&conn->server->requests, request);
    loop_forget(conn->server->loop, request);
  }
  conn->request = 0;
  if (outbox_queued(&conn->outbox))
    http_conn_leave(conn);
  else if (!conn->lingers)
    http_conn_close(conn);
}

static void cancel_source(struct http_server *server, struct http_source *source) {
  loop_forget(server->loop, source->id);
  source->users++; // until its connections have been looked at
  source_close(source);
  list_each(it, &server->conns) {
    struct http_conn *conn = list_entry(it, struct http_conn, link);
    if (!source->control && conn->source == source) let_go(conn);
  }
  http_source_release(source);
}

bool http_server_cancel(struct http_server *server, uint64_t id) {
  struct http_conn *conn = idmap_get(&server->requests, id);
  if (conn) {
    http_conn_close(conn);
    loop_forget(server->loop, id);
    return true;
  }
  list_each(it, &server->sources) {
    struct http_source *source = list_entry(it, struct http_source, link);
    if (source->id != id) continue;
    cancel_source(server, source);
    return true;
  }
  return false;
}

static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

void http_server_close(struct http_server *server, unsigned ms) {
  uint64_t deadline = loop_now_ms(server->loop) + ms;
  list_each(it, &server->sources) source_close(list_entry(it, struct http_source, link));
  list_each(it, &server->conns) {
    struct http_conn *conn = list_entry(it, struct http_conn, link);
    if (conn->lingers)
      http_conn_close(conn);
    else
      http_conn_leave(conn);
  }
  uv_timer_start(&server->retry, on_tick, TICK_MS, TICK_MS);
  while (!list_empty(&server->conns) && loop_now_ms(server->loop) < deadline)
    uv_run(&server->loop->uv, UV_RUN_ONCE);
  uv_timer_stop(&server->retry);
  list_each(it, &server->conns) http_conn_close(list_entry(it, struct http_conn, link));
}
