// Names to addresses by getaddrinfo, on threads of their own. A lookup can neither be hurried nor
// stopped, so it must not be waited for: not by the loop, and not at the process's end (libuv's
// threads are joined there, these aren't). Lookups of one name are shared, also one that nobody
// waits for any more, so a dead name server costs a thread for each name and no more.
#pragma once
#include "base/list.h"
#include "loop/loop.h"
#include "net/address.h"

enum { DNS_THREADS_MAX = 8 }; // at once; further names wait

struct dns;
struct dns_query;

// `error` is 0 or a code of getaddrinfo. The query is over; called from the loop, never from
// dns_ask.
typedef void (*dns_done_fn)(struct dns_query *query, int error, const struct addresses *addresses);

// Lives in the struct of who asks.
struct dns_query {
  struct list link; // private
  dns_done_fn done;
};

struct dns *dns_create(struct loop *loop);
void dns_destroy(struct dns *dns); // NULL is fine; queries must have been dropped

void dns_ask(struct dns *dns, struct dns_query *query, const char *host, dns_done_fn done);
void dns_drop(
    struct dns_query *query); // done isn't called; fine when it has been, or was never asked
// What an error of a lookup means, for people: `name 'x' can't be resolved`. To be freed.
char *dns_explain(const char *host, int error);
