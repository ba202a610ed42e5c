// One connection of the server, and what the server's files share. Private to engine/net.
#pragma once
#include "base/idmap.h"
#include "base/list.h"
#include "net/http_reader.h"
#include "net/http_server.h"
#include "net/outbox.h"

enum { HTTP_CONN_REST_MAX = 64 * 1024, HTTP_CONN_READ = 64 * 1024 };

struct http_server {
  struct loop *loop;
  struct idmap requests; // id → http_conn
  struct list sources;   // listeners and the front's channel
  struct list conns;     // the least recently used first
  size_t conn_count;
  struct list hasty; // conns with a deadline, the earliest first
  uv_timer_t timer;  // runs while `hasty` has members
  uv_timer_t retry;  // runs while listening is paused for want of descriptors
  int open_timers;
  int reserve_fd; // given up for a moment when no descriptor is left
  char *buffer;   // HTTP_CONN_READ bytes, for all conns
};

struct http_conn {
  struct list link;  // in server->conns
  struct list hasty; // in server->hasty
  uint64_t deadline; // ms
  struct http_server *server;
  uv_pipe_t pipe;
  int fd; // the pipe's
  bool front;
  pid_t pid;
  struct http_reader reader;
  struct outbox outbox;
  uint64_t request; // being answered; 0: none
  bool answering;   // its head has been sent
  bool chunked;     // its answer is
  bool bodiless;    // of HEAD
  bool last;        // no request follows it
  bool owes_drain;
  bool ended;   // the client sends no more
  bool leaving; // closes when all is written
  bool closed;
  char *rest;                // bytes behind the request being answered
  size_t rest_at, rest_size; // the part not read yet
};

// Takes the descriptor, also on failure.
int http_conn_open(struct http_server *server, int fd, bool front);
// The connection is over: its request, if any, hears EV_GONE.
void http_conn_lose(struct http_conn *conn);
void http_conn_close(struct http_conn *conn); // without a word

// A conn's deadline has passed (called with the deadline cleared).
void http_conn_expire(struct http_conn *conn);
// Closes behind what is queued.
void http_conn_leave(struct http_conn *conn);
bool http_conn_idle(const struct http_conn *conn); // nothing asked, nothing owed

// Sets or clears the deadline of a conn (in http_server.c).
void http_server_hurry(struct http_server *server, struct http_conn *conn, bool hurry);
