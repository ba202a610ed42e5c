// The asking end of the control protocol. A link names a server: a Unix socket's path, or the
// front's end of the socketpair, over which a new pair is passed for each connection (see
// http_server.h). A call takes a connection of its own while it lasts, so calls and open streams
// don't wait for each other; connections whose answer is complete are used again.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"
#include "net/http_message.h"

enum http_response_part {
  HTTP_RESPONSE_WHOLE, // status, headers and body
  HTTP_RESPONSE_HEAD,  // of a stream: status and headers
  HTTP_RESPONSE_PIECE, // bytes of its body
  HTTP_RESPONSE_END,
};

// EV_RESPONSE; its id is the call's. A call that fails ends with EV_GONE (http_server.h) instead.
struct http_response_event {
  struct event event;
  enum http_response_part part;
  struct http_message message; // WHOLE, HEAD
  size_t size;                 // PIECE
  char bytes[];
};

struct http_call {
  const char *method; // NULL: GET
  const char *path;   // as it goes into the request line: escaped, with its query
  const struct http_pair *headers;
  size_t header_count;
  const char *body; // NULL: none
  size_t body_size;
  bool stream;  // the body comes in pieces, as it arrives
  bool upgrade; // asks for pactlua/1: when the answer is 101 its HEAD comes, and then EV_FRAME
};

struct http_links;

struct http_links *http_links_create(struct loop *loop);
void http_links_destroy(struct http_links *links); // NULL is fine; runs no events

// Connects at once. 0, or -errno: -ENOENT, -ECONNREFUSED: nobody serves there; -EAGAIN: it is
// overrun.
int http_link_open(struct http_links *links, const char *path, uint64_t *link_id);
// Who began to listen at the other end of an open connection of the link, as the kernel knows it.
// 0, or -errno: -ENOENT: there is no such link, or none of its connections is open.
int http_link_peer(const struct http_links *links, uint64_t link_id, pid_t *pid, uid_t *uid);
// Owns `fd` from here.
int http_link_front(struct http_links *links, int fd, uint64_t *link_id);
// 0, or -errno: -ENOENT: no such link; -EINVAL: the path or a header can't be sent; else why no
// connection could be had (-EPIPE, -ECONNREFUSED: the server is gone).
int http_link_call(struct http_links *links, uint64_t link_id, const struct http_call *call,
                   uint64_t *id);
// Sends a frame on an upgraded call. 0, or -errno: -ENOENT: there is no such call (any more), or it
// is broken; -EINVAL: not upgraded, no such kind, or larger than FRAME_MAX; -ENOBUFS: 1 MiB waits
// to be taken already, nothing was added.
int http_link_frame(struct http_links *links, uint64_t call, char kind, const char *bytes,
                    size_t size);
// Drops a call, or a link with all its calls; no event of theirs follows. False when there is no
// such id.
bool http_links_cancel(struct http_links *links, uint64_t id);
