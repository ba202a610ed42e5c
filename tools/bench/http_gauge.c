// http_gauge: what HTTP probes are measured against. All on 127.0.0.1.
//
//   http_gauge serve DIR [close]        answers every GET with 200 on a free port, which it writes
//                                       into DIR/port; DIR/count holds the number of answers so
//                                       far. Keeps connections, or with `close` ends each of them
//   http_gauge ask PORT RATE SECONDS [close]
//                                       the least client: so many GETs a second over 200 kept
//                                       connections, or with `close` a new one for each; prints
//                                       "REQUESTS CPU_US"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 200 };

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int tcp_socket(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr = {htonl(INADDR_LOOPBACK)},
  };
}

static int open_in(const char *dir, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) die(path);
  return fd;
}

static void put_number(int fd, long number) {
  char text[32];
  int n = snprintf(text, sizeof text, "%ld\n", number);
  if (pwrite(fd, text, (size_t)n, 0) != n) die("pwrite");
}

static int listen_on_free_port(const char *dir) {
  int fd = tcp_socket();
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1024)) die("listen");
  getsockname(fd, (struct sockaddr *)&address, &size);
  put_number(open_in(dir, "port"), ntohs(address.sin_port));
  return fd;
}

static void watch(int poll_fd, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

// A request of a probe fits one segment, so one read is one request. True when it was answered.
static bool answer(int fd, bool closing) {
  static const char kept[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  static const char ended[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  char request[4096];
  bool asked = read(fd, request, sizeof request) > 0;
  if (asked && write(fd, closing ? ended : kept, (closing ? sizeof ended : sizeof kept) - 1) < 0)
    asked = false;
  if (!asked || closing) close(fd);
  return asked;
}

static void serve(const char *dir, bool closing) {
  int count_fd = open_in(dir, "count");
  int poll_fd = epoll_create1(EPOLL_CLOEXEC), server_fd = listen_on_free_port(dir);
  watch(poll_fd, server_fd);
  for (long answers = 0;;) {
    struct epoll_event events[64];
    int n = epoll_wait(poll_fd, events, 64, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == server_fd)
        watch(poll_fd, accept4(server_fd, NULL, NULL, SOCK_CLOEXEC));
      else if (answer(events[i].data.fd, closing))
        put_number(count_fd, ++answers);
    }
  }
}

static int connected(int port) {
  int fd = tcp_socket();
  struct sockaddr_in address = loopback(port);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
  return fd;
}

static void exchange(int fd) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  char response[4096];
  if (write(fd, request, sizeof request - 1) < 0 || read(fd, response, sizeof response) <= 0)
    die("exchange");
}

static long cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

static void ask(int port, int rate, int seconds, bool closing) {
  int fds[CONNECTIONS];
  for (int i = 0; i < CONNECTIONS && !closing; i++) fds[i] = connected(port);
  struct timespec due;
  clock_gettime(CLOCK_MONOTONIC, &due);
  long before_us = cpu_us(), requests = (long)rate * seconds;
  for (long i = 0; i < requests; i++) {
    int fd = closing ? connected(port) : fds[i % CONNECTIONS];
    exchange(fd);
    if (closing) close(fd);
    due.tv_nsec += 1000000000L / rate;
    if (due.tv_nsec >= 1000000000L) due.tv_sec++, due.tv_nsec -= 1000000000L;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
  }
  printf("%ld %ld\n", requests, cpu_us() - before_us);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  bool closing = argc > 1 && !strcmp(argv[argc - 1], "close");
  if (argc > 2 && !strcmp(argv[1], "serve")) {
    serve(argv[2], closing);
  } else if (argc > 4 && !strcmp(argv[1], "ask")) {
    ask(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), closing);
    return 0;
  }
  fputs("usage: http_gauge serve DIR [close] | ask PORT RATE SECONDS [close]\n", stderr);
  return 2;
}
