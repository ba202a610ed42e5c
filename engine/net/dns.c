#include "net/dns.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// getaddrinfo and the modules it loads have large buffers on the stack.
enum { STACK_BYTES = 512 * 1024 };

// What the threads see of the loop: it outlives the loop while a thread runs.
struct mailbox {
  pthread_mutex_t mutex;
  struct list done; // lookups that have ended
  uv_async_t *wake; // NULL: the loop is gone
  size_t holders;   // the loop, and each thread
};

struct lookup {
  struct list link;    // in dns->lookups; while a thread has ended: in `done`
  struct list done;    // in mailbox->done
  struct list queries; // who waits
  struct mailbox *mailbox;
  struct dns *dns;
  bool running;
  int error;
  struct addresses addresses;
  char host[];
};

struct dns {
  struct loop *loop;
  struct mailbox *mailbox;
  uv_async_t wake;
  struct list lookups;
  size_t running;
};

static void mailbox_leave(struct mailbox *mailbox) { // with the mutex held
  bool last = --mailbox->holders == 0;
  pthread_mutex_unlock(&mailbox->mutex);
  if (!last) return;
  pthread_mutex_destroy(&mailbox->mutex);
  free(mailbox);
}

// ---- on a thread

static void look_up(struct lookup *lookup) {
  struct addrinfo *found = NULL;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  lookup->error = getaddrinfo(lookup->host, NULL, &hints, &found);
  if (lookup->error) return;
  struct addresses *addresses = &lookup->addresses;
  for (struct addrinfo *it = found; it && addresses->count < ADDRESSES_MAX; it = it->ai_next)
    if (it->ai_family == AF_INET || it->ai_family == AF_INET6)
      memcpy(&addresses->list[addresses->count++], it->ai_addr, it->ai_addrlen);
  freeaddrinfo(found);
  if (!addresses->count) lookup->error = EAI_NONAME;
}

static void *thread_main(void *argument) {
  struct lookup *lookup = argument;
  struct mailbox *mailbox = lookup->mailbox;
  look_up(lookup);
  pthread_mutex_lock(&mailbox->mutex);
  if (mailbox->wake) {
    list_append(&mailbox->done, &lookup->done);
    uv_async_send(mailbox->wake);
  } else {
    free(lookup);
  }
  mailbox_leave(mailbox);
  return NULL;
}

// ---- on the loop

// The thread gets no signals: they are for the loop's.
static int launch(struct lookup *lookup) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, &attributes, thread_main, lookup);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

static void tell(struct lookup *lookup) {
  while (!list_empty(&lookup->queries)) {
    struct dns_query *query = list_entry(lookup->queries.next, struct dns_query, link);
    list_remove(&query->link);
    query->done(query, lookup->error, &lookup->addresses);
  }
}

// Starts what waits. One that gets no thread ends as `no answer for now`, in a turn of its own.
static void start_waiting(struct dns *dns) {
  list_each(it, &dns->lookups) {
    struct lookup *lookup = list_entry(it, struct lookup, link);
    if (lookup->running) continue;
    if (dns->running == DNS_THREADS_MAX) break;
    lookup->running = true;
    dns->running++;
    pthread_mutex_lock(&dns->mailbox->mutex);
    dns->mailbox->holders++;
    if (launch(lookup)) {
      dns->mailbox->holders--;
      lookup->error = EAI_AGAIN;
      list_append(&dns->mailbox->done, &lookup->done);
      uv_async_send(&dns->wake);
    }
    pthread_mutex_unlock(&dns->mailbox->mutex);
  }
  if (dns->running)
    uv_ref((uv_handle_t *)&dns->wake);
  else
    uv_unref((uv_handle_t *)&dns->wake);
}

static struct lookup *next_done(struct dns *dns) {
  struct lookup *lookup = NULL;
  pthread_mutex_lock(&dns->mailbox->mutex);
  if (!list_empty(&dns->mailbox->done)) {
    lookup = list_entry(dns->mailbox->done.next, struct lookup, done);
    list_remove(&lookup->done);
  }
  pthread_mutex_unlock(&dns->mailbox->mutex);
  return lookup;
}

static void on_wake(uv_async_t *wake) {
  struct dns *dns = wake->data;
  for (struct lookup *lookup; (lookup = next_done(dns));) {
    list_remove(&lookup->link); // who asks again from here gets a new one
    dns->running--;
    tell(lookup);
    free(lookup);
  }
  start_waiting(dns);
}

static struct lookup *find(struct dns *dns, const char *host) {
  list_each(it, &dns->lookups) {
    struct lookup *lookup = list_entry(it, struct lookup, link);
    if (strcmp(lookup->host, host) == 0) return lookup;
  }
  return NULL;
}

void dns_ask(struct dns *dns, struct dns_query *query, const char *host, dns_done_fn done) {
  query->done = done;
  struct lookup *lookup = find(dns, host);
  if (!lookup) {
    size_t size = strlen(host) + 1;
    lookup = mem_new(sizeof *lookup + size);
    lookup->dns = dns;
    lookup->mailbox = dns->mailbox;
    memcpy(lookup->host, host, size);
    list_init(&lookup->done);
    list_init(&lookup->queries);
    list_append(&dns->lookups, &lookup->link);
  }
  list_append(&lookup->queries, &query->link);
  start_waiting(dns);
}

void dns_drop(struct dns_query *query) {
  if (query->link.next) list_remove(&query->link);
}

char *dns_explain(const char *host, int error) {
  const char *why = error == EAI_NONAME || error == EAI_NODATA ? NULL
                    : error == EAI_AGAIN                       ? "no name server answers"
                    : error == EAI_SYSTEM                      ? "a system error"
                                                               : gai_strerror(error);
  char *text = NULL;
  int size =
      asprintf(&text, "name '%.255s' can't be resolved%s%s", host, why ? ": " : "", why ? why : "");
  return size < 0 ? NULL : text;
}

struct dns *dns_create(struct loop *loop) {
  struct dns *dns = mem_new(sizeof *dns);
  dns->loop = loop;
  dns->mailbox = mem_new(sizeof *dns->mailbox);
  dns->mailbox->holders = 1;
  dns->mailbox->wake = &dns->wake;
  pthread_mutex_init(&dns->mailbox->mutex, NULL);
  list_init(&dns->mailbox->done);
  list_init(&dns->lookups);
  uv_async_init(&loop->uv, &dns->wake, on_wake);
  dns->wake.data = dns;
  uv_unref((uv_handle_t *)&dns->wake);
  return dns;
}

static void on_closed(uv_handle_t *handle) {
  free(handle->data);
}

void dns_destroy(struct dns *dns) {
  if (!dns) return;
  struct mailbox *mailbox = dns->mailbox;
  pthread_mutex_lock(&mailbox->mutex);
  mailbox->wake = NULL;
  list_each(it, &mailbox->done) {
    struct lookup *lookup = list_entry(it, struct lookup, done);
    list_remove(&lookup->link);
    free(lookup);
  }
  list_each(it, &dns->lookups) { // the threads free those that run
    struct lookup *lookup = list_entry(it, struct lookup, link);
    if (!lookup->running) free(lookup);
  }
  mailbox_leave(mailbox);
  uv_close((uv_handle_t *)&dns->wake, on_closed);
}
