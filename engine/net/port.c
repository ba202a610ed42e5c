#include "net/port.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/procfs.h"

enum { FREE_TRIES = 32 };

static int open_socket(int family) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  if (fd < 0) return -errno;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return fd;
}

static int try_bind(int family, const void *address, socklen_t size) {
  int fd = open_socket(family);
  if (fd < 0) return fd;
  int result = bind(fd, address, size) == 0 ? 0 : -errno;
  close(fd);
  return result;
}

static int try_ipv4(uint16_t port, in_addr_t ip) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}};
  return try_bind(AF_INET, &address, sizeof address);
}

static int try_ipv6(uint16_t port) {
  struct sockaddr_in6 address = {
      .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
  int result = try_bind(AF_INET6, &address, sizeof address);
  bool absent = result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL;
  return absent ? 0 : result; // a machine without IPv6
}

int port_check(uint16_t port) {
  int result = try_ipv4(port, INADDR_LOOPBACK);
  if (!result) result = try_ipv4(port, INADDR_ANY);
  if (!result) result = try_ipv6(port);
  return result;
}

static uint16_t offered(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int fd = open_socket(AF_INET);
  if (fd < 0) return 0;
  bool got = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &size) == 0;
  close(fd);
  return got ? ntohs(address.sin_port) : 0;
}

uint16_t port_free(void) {
  for (int i = 0; i < FREE_TRIES; i++) {
    uint16_t port = offered();
    if (port && port_check(port) == 0) return port;
  }
  return 0;
}

// ---- the kernel's table of sockets

enum tcp_state { // as /proc/net/tcp writes them
  TCP_FIN_WAIT1 = 4,
  TCP_FIN_WAIT2 = 5,
  TCP_TIME_WAIT = 6,
  TCP_LAST_ACK = 9,
  TCP_LISTEN = 10,
  TCP_CLOSING = 11,
};

struct socket_row {
  unsigned port, state;
  uid_t uid;
  unsigned long inode;
};

// Called for each socket whose own port it is, until it returns false.
typedef bool (*row_fn)(const struct socket_row *row, void *context);

static bool visit_table(const char *path, uint16_t port, row_fn visit, void *context) {
  FILE *table = fopen(path, "re");
  char line[512];
  bool more = true;
  while (table && more && fgets(line, sizeof line, table)) {
    struct socket_row row;
    if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u %*s %lu", &row.port, &row.state,
               &row.uid, &row.inode) == 4 &&
        row.port == port)
      more = visit(&row, context);
  }
  if (table) fclose(table);
  return more;
}

static void visit_sockets(uint16_t port, row_fn visit, void *context) {
  if (visit_table("/proc/net/tcp", port, visit, context))
    visit_table("/proc/net/tcp6", port, visit, context);
}

struct lingering {
  size_t last, other;
};

static bool count_state(const struct socket_row *row, void *context) {
  struct lingering *count = context;
  switch (row->state) {
  case TCP_FIN_WAIT1:
  case TCP_FIN_WAIT2:
  case TCP_TIME_WAIT:
  case TCP_LAST_ACK:
  case TCP_CLOSING: count->last++; break;
  default: count->other++;
  }
  return count->other == 0;
}

bool port_lingers(uint16_t port) {
  struct lingering count = {0};
  visit_sockets(port, count_state, &count);
  return count.last && !count.other;
}

// ---- who has it

enum { INODES_MAX = 32 }; // SO_REUSEPORT gives a port several listeners

struct sockets {
  bool listening; // only those
  size_t count;
  struct {
    unsigned long inode;
    uid_t uid;
  } list[INODES_MAX];
};

static bool add_socket(const struct socket_row *row, void *context) {
  struct sockets *sockets = context;
  if (!row->inode || (sockets->listening && row->state != TCP_LISTEN)) return true;
  sockets->list[sockets->count].inode = row->inode;
  sockets->list[sockets->count++].uid = row->uid;
  return sockets->count < INODES_MAX;
}

static bool fd_is_one(pid_t pid, long fd, const struct sockets *sockets, uid_t *uid) {
  char path[64], target[64];
  unsigned long inode;
  snprintf(path, sizeof path, "/proc/%d/fd/%ld", (int)pid, fd);
  ssize_t size = readlink(path, target, sizeof target - 1);
  if (size <= 0) return false;
  target[size] = '\0';
  if (sscanf(target, "socket:[%lu]", &inode) != 1) return false;
  for (size_t i = 0; i < sockets->count; i++)
    if (sockets->list[i].inode == inode) {
      *uid = sockets->list[i].uid;
      return true;
    }
  return false;
}

static bool process_has_one(pid_t pid, const struct sockets *sockets, uid_t *uid) {
  char path[64];
  struct procfs_dir dir;
  bool found = false;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  if (procfs_dir_open(&kernel_linux, &dir, path) != 0) return false;
  for (long fd; !found && procfs_dir_next(&dir, &fd);) found = fd_is_one(pid, fd, sockets, uid);
  procfs_dir_close(&dir);
  return found;
}

static void describe(struct port_holder *holder) {
  char path[64];
  struct procfs_stat stat;
  if (procfs_stat(&kernel_linux, holder->pid, &stat) == 0)
    memcpy(holder->name, stat.name, sizeof holder->name);
  snprintf(path, sizeof path, "/proc/%d/cmdline", (int)holder->pid);
  ssize_t size = procfs_read(&kernel_linux, path, holder->command, sizeof holder->command);
  for (ssize_t i = 0; i + 1 < size; i++)
    if (!holder->command[i]) holder->command[i] = ' ';
}

bool port_find_holder(uint16_t port, struct port_holder *holder) {
  struct sockets sockets = {.listening = true};
  struct procfs_dir dir;
  bool found = false;
  visit_sockets(port, add_socket, &sockets);
  sockets.listening = sockets.count > 0;
  if (!sockets.listening) visit_sockets(port, add_socket, &sockets);
  *holder = (struct port_holder){0};
  if (!sockets.count || procfs_dir_open(&kernel_linux, &dir, "/proc") != 0) return false;
  for (long pid; !found && procfs_dir_next(&dir, &pid);) {
    holder->pid = (pid_t)pid;
    found = process_has_one(holder->pid, &sockets, &holder->uid);
  }
  procfs_dir_close(&dir);
  if (found) describe(holder);
  return found;
}
