// What the world tells the script, as values. Callbacks of libuv never call upward: they put an
// event into the loop's queue, and once per turn the queue is delivered in order.
#pragma once
#include <stdint.h>

// Each kind has a struct that begins with `struct event`, declared by the module that makes it;
// lua/dispatch.c has one row a kind that turns it into values.
enum event_kind {
  EV_TIMER,    // loop/timer.h
  EV_SIGNAL,   // loop/sig.h
  EV_EXIT,     // proc/: a leader ended
  EV_JOBSTOP,  // proc/: a leader was stopped or continued
  EV_SWEPT,    // proc/: what was left of a tree is gone, or is named
  EV_LINE,     // log/: a line matched
  EV_OUTPUT,   // log/: new bytes are there
  EV_LOGFAULT, // log/: writing failed, or goes on again
  EV_HTTP,     // net/http_client.h
  EV_PIECE,    // net/http_client.h: a piece of an answer's body
  EV_CONNECT,  // net/tcp.h
  EV_REQUEST,  // net/http_server.h: a client asks
  EV_GONE,     // net/http_server.h: a client or the front left
  EV_RESPONSE, // net/http_link.h: an answer, a piece of it, or its end
  EV_FRAME,    // net/http_server.h: a frame of a two-way connection, at either end
  EV_INPUT,    // os/console.h: what was typed
  EV_DATAGRAM, // net/datagram.h: a text has come
  EV_CHANGE,   // os/dirwatch.h: something in a directory has changed
  EV_DRAIN,    // a bounded queue has room again
  EV_EDIT,     // tty/edit.h: a line was typed
  EV_KINDS
};

struct event {
  struct event *next;
  enum event_kind kind;
  uint64_t id;                     // of the operation or object it is about
  void (*destroy)(struct event *); // frees the whole struct; NULL: free() is enough
};
