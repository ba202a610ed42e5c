// One connection of the server, and what the server's files share. Private to engine/net.
#pragma once
#include "base/idmap.h"
#include "base/list.h"
#include "net/frame.h"
#include "net/http_reader.h"
#include "net/http_server.h"
#include "net/outbox.h"

enum {
  HTTP_CONN_REST_MAX = 64 * 1024,
  HTTP_CONN_READ = 64 * 1024,
  HTTP_CONN_LINGER_MS = 2000, // for who still sends what nobody will read
  HTTP_CONN_FRESH_MS = 1000,  // so long one that has asked nothing yet is not idle, nor slow
  HTTP_CONN_SURPLUS = 256,    // connections beyond the limit that are told so; further ones aren't
};

struct http_server {
  struct loop *loop;
  struct idmap requests; // id → http_conn
  struct list sources;   // listeners and the front's channel
  struct list conns;     // the least recently used first
  uv_timer_t retry;      // runs while listening is paused for want of descriptors
  int reserve_fd;        // given up for a moment when no descriptor is left
  char *buffer;          // HTTP_CONN_READ bytes, for all conns
};

// Where connections come from: a listening socket, or the front's end of the socketpair.
struct http_source {
  struct list link;
  struct http_server *server;
  uint64_t id;
  uv_poll_t poll;
  int fd;
  char *path;   // of a Unix socket that listens
  bool listens; // else connections are passed
  bool control; // it is the control protocol's
  bool tcp;
  struct http_limits limits;
  size_t conn_count;
  size_t users; // its conns and its handle: the last one frees it
  dev_t device;
  ino_t inode;
};

// What a conn may be waiting for, each with a limit of its own.
enum http_wait {
  HTTP_WAIT_NONE,
  HTTP_WAIT_IDLE,
  HTTP_WAIT_HEAD,
  HTTP_WAIT_BODY,
  HTTP_WAIT_TAKE,
  HTTP_WAIT_LEAVE,
  HTTP_WAIT_LINGER,
};

struct http_conn {
  struct list link; // in server->conns
  struct http_server *server;
  struct http_source *source;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
  } socket;
  uv_timer_t timer; // of what it waits for
  enum http_wait waits;
  uint64_t taken; // bytes of answers that were, when the timer began
  int handles;    // not closed yet
  int fd;         // the socket's
  pid_t pid;
  char remote[HTTP_REMOTE_SIZE];
  struct http_reader reader;
  struct outbox outbox;
  uint64_t request; // being answered; 0: none
  uint64_t opened_ms;
  uint64_t waits_ms; // since when it waits for what it waits for
  bool asked;        // a request has come
  bool answering;    // its head has been sent
  bool chunked;      // its answer is
  bool bodiless;     // of HEAD, or a status without a body
  bool last;         // no request follows it
  bool owes_drain;
  bool framed; // upgraded: both sides send frames until one leaves
  struct frame_reader frames;
  bool ended;   // the client sends no more
  bool leaving; // closes when all is written
  bool refused; // what it sends isn't wanted any more
  bool lingers; // all is written, what still comes isn't read
  bool closed;
  char *rest;                // bytes behind the request being answered
  size_t rest_at, rest_size; // the part not read yet
};

// Takes the descriptor, also on failure. `surplus`: only to be told so.
int http_conn_open(struct http_source *source, int fd, bool surplus);
// The connection is over: its request, if any, hears EV_GONE.
void http_conn_lose(struct http_conn *conn);
void http_conn_close(struct http_conn *conn); // without a word

// Closes behind what is queued.
void http_conn_leave(struct http_conn *conn);
bool http_conn_idle(const struct http_conn *conn); // nothing asked, nothing owed
// It has begun to ask and isn't done after a while, or what it sends isn't wanted any more.
bool http_conn_dawdles(const struct http_conn *conn);
// Its request has been answered: goes on with what follows.
void http_conn_next(struct http_conn *conn);

// Sets the timer for what it waits for now (http_wait.c); after every change that may be one.
void http_conn_wait(struct http_conn *conn);
// The time for that is over.
void http_conn_expire(struct http_conn *conn, enum http_wait waited);
// Bytes of a client that sends frames (http_upgrade.c).
void http_upgrade_read(struct http_conn *conn, const char *bytes, size_t size);

// Tells in a word what is wrong with it, and leaves.
void http_conn_refuse(struct http_conn *conn, int status, const char *why);

void http_source_release(struct http_source *source); // one user less
