// The serving end of the control protocol, and of HTTP servers that scripts open: HTTP/1.1 on Unix
// sockets and TCP. Requests come as events; answers are given by the request's id, whole or piece
// by piece.
//
// The front and the engine share one inherited socketpair. Nothing is spoken on it: for each
// connection the front makes a new pair and passes one end over. So an open event stream stands in
// no other call's way, each has a queue of its own, and the inherited pair itself is the lease: its
// end of file means that the front is gone.
//
// One connection answers its requests in order: while one is being answered, at most 64 KiB of what
// follows is read. On Unix sockets only this user is let in. Each listener has limits of its own.
// Who comes beyond them is told so; or those give way that are idle, or take long to ask.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"
#include "net/http_message.h"

enum {
  HTTP_SERVER_HIGH = 256 * 1024, // queued bytes of a stream above which its writer should wait
  HTTP_SERVER_LOW = 64 * 1024,   // EV_DRAIN comes when they have fallen to this
  HTTP_SERVER_QUEUE = 8 * 1024 * 1024, // a stream written to beyond this is cut: its client is gone
  HTTP_SERVER_WHOLE_MS = 10000,        // for a request, from its first byte to its last
  HTTP_SERVER_CLIENTS = 256,
  HTTP_REMOTE_SIZE = 64,
};

// What a listener grants its clients. Times are milliseconds, 0: no limit.
struct http_limits {
  unsigned head_ms; // from a request's first byte to the end of its head
  unsigned body_ms; // from there to its last byte; 0: the head's time is for both
  unsigned idle_ms; // until the first byte of the (next) request
  unsigned take_ms; // an answer of which the client takes nothing
  size_t body_bytes;
  unsigned clients;   // at once; who comes beyond is answered 503
  bool give_way;      // unless one can be closed that is being answered nothing
  bool json_refusals; // what becomes no request is refused as {"code", "error"}, else in plain text
};

// EV_REQUEST; its id is the request's, or the listener's where http_server_serve made that.
struct http_request_event {
  struct event event;
  uint64_t request;
  struct http_message message;   // the receiver may take it out by copying and zeroing it
  bool front;                    // it came over the socketpair
  pid_t pid;                     // of the client; 0: it came over TCP
  char remote[HTTP_REMOTE_SIZE]; // of TCP: 127.0.0.1:4711; else empty
};

// EV_GONE: of a request, its client has left; of the front's id, the front has. Also of a call.
struct http_gone_event {
  struct event event;
  char message[]; // for people; may be empty
};

// EV_FRAME: of a request or call that was upgraded.
struct http_frame_event {
  struct event event;
  char kind; // enum frame_kind
  size_t size;
  char bytes[];
};

struct http_server;

struct http_server *http_server_create(struct loop *loop);
void http_server_destroy(struct http_server *server); // NULL is fine; runs no events

// 0 and the id of what listens, or -errno as unix_socket_listen gives it.
int http_server_listen(struct http_server *server, const char *path, uint64_t *id);
// Serves a listening socket that is no part of the control protocol; owns `fd` from here, also on
// failure. `path` is that of a Unix socket, NULL: it is TCP. 0 and the listener's id, or -errno.
int http_server_serve(struct http_server *server, int fd, const char *path,
                      const struct http_limits *limits, uint64_t *id);
// Serves connections passed over a socketpair; owns `fd` from here, also on failure. EV_GONE of
// *id when the other end is closed.
int http_server_front(struct http_server *server, int fd, uint64_t *id);

// The answer as a whole. Content-Length is added; it must not be among the headers. 0; -ENOENT when
// there is no such request (any more); -EALREADY when its answer has begun.
int http_server_respond(struct http_server *server, uint64_t request, int status,
                        const struct http_pair *headers, size_t header_count, const char *body,
                        size_t body_size);
// Begins an answer in pieces.
int http_server_stream(struct http_server *server, uint64_t request, int status,
                       const struct http_pair *headers, size_t header_count);
// The number of queued bytes behind it, or -ENOENT, or -EINVAL before http_server_stream.
int64_t http_server_write(struct http_server *server, uint64_t request, const char *bytes,
                          size_t size);
// How many bytes are queued; if they are more than HTTP_SERVER_LOW, EV_DRAIN comes when they have
// fallen to that. -ENOENT as above.
int64_t http_server_await(struct http_server *server, uint64_t request);
// Answers 101 to who asked for an upgrade to pactlua/1: from here both sides send frames
// (net/frame.h), the client's come as EV_FRAME. http_server_finish ends it. Errors as above.
int http_server_upgrade(struct http_server *server, uint64_t request);
// Sends one frame; bytes of more than FRAME_MAX go as several. The number of queued bytes behind
// it, as http_server_write; -EINVAL: not upgraded, no such kind, or a message that is
// too large.
int64_t http_server_frame(struct http_server *server, uint64_t request, char kind,
                          const char *bytes, size_t size);
int http_server_finish(struct http_server *server, uint64_t request);

// Drops a request with its connection, a listener, or the front's channel; no event of that id
// follows. With a listener of http_server_serve go its connections: answers under way are still
// written. False when there is no such id.
bool http_server_cancel(struct http_server *server, uint64_t id);
// Stops listening, removes the sockets' files, writes what is queued for at most `ms` (turning
// the loop; events gather in its queue), and closes every connection.
void http_server_close(struct http_server *server, unsigned ms);
