// Sockets that are held for programs: open until they are let go, with their files.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/listeners.h"
#include "net/unix_socket.h"
#include "net_turn.h"

static struct net_turn turn;
static struct listeners *listeners;
static char dir[] = "/tmp/pactlua-listeners-XXXXXX", path[64];

static int setup(void **state) {
  (void)state;
  strcpy(dir + strlen(dir) - 6, "XXXXXX");
  if (!mkdtemp(dir)) return -1;
  snprintf(path, sizeof path, "%s/web", dir);
  net_turn_init(&turn, NULL, NULL);
  listeners = listeners_create(&turn.loop);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  listeners_destroy(listeners);
  net_turn_finish(&turn);
  return rmdir(dir); // no socket's file may be left
}

static int connect_tcp(uint16_t port) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error = connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
  close(fd);
  return error;
}

static void who_connects_waits_until_the_socket_is_let_go(void **state) {
  (void)state;
  uint64_t id, other;
  uint16_t port = 0, same;
  assert_int_equal(listeners_open_tcp(listeners, "127.0.0.1", 0, &id, &port), 0);
  assert_true(port > 0);
  assert_int_equal(connect_tcp(port), 0);
  assert_int_equal(listeners_open_tcp(listeners, "127.0.0.1", port, &other, &same), -EADDRINUSE);
  assert_true(listeners_cancel(listeners, id));
  assert_false(listeners_cancel(listeners, id));
  assert_int_equal(listeners_fd(listeners, id), -1);
  assert_int_equal(connect_tcp(port), -ECONNREFUSED);
}

static void it_blocks_and_does_so_again(void **state) {
  (void)state;
  uint64_t id;
  uint16_t port;
  assert_int_equal(listeners_open_tcp(listeners, "127.0.0.1", 0, &id, &port), 0);
  int fd = listeners_fd(listeners, id);
  assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
  fcntl(fd, F_SETFL, O_NONBLOCK | O_RDWR);
  assert_int_equal(listeners_block(listeners, id), 0);
  assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
  assert_int_equal(listeners_block(listeners, id + 1), -ENOENT);
}

static void the_file_of_a_dead_one_is_taken_over(void **state) {
  (void)state;
  uint64_t id, other;
  struct stat info;
  int left = unix_socket_listen(path);
  close(left); // its file stays
  assert_int_equal(listeners_open_unix(listeners, path, &id), 0);
  assert_int_equal(lstat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_equal(listeners_open_unix(listeners, path, &other), -EADDRINUSE);
}

static void a_file_that_is_somebody_elses_stays(void **state) {
  (void)state;
  uint64_t id;
  assert_int_equal(listeners_open_unix(listeners, path, &id), 0);
  unlink(path);
  close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  assert_true(listeners_cancel(listeners, id));
  assert_int_equal(unlink(path), 0);
}

static void places_that_cannot_be_are_refused(void **state) {
  (void)state;
  uint64_t id;
  uint16_t port;
  char longer[128];
  memset(longer, 'x', sizeof longer - 1);
  longer[0] = '/', longer[sizeof longer - 1] = '\0';
  assert_int_equal(listeners_open_unix(listeners, longer, &id), -ENAMETOOLONG);
  assert_int_equal(listeners_open_unix(listeners, "/no/such/web", &id), -ENOENT);
  assert_int_equal(listeners_open_unix(listeners, dir, &id), -EEXIST);
  assert_int_equal(listeners_open_tcp(listeners, "web.test", 1, &id, &port), -EINVAL);
  assert_int_equal(listeners_open_tcp(listeners, "192.0.2.1", 0, &id, &port), -EADDRNOTAVAIL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(who_connects_waits_until_the_socket_is_let_go),
      test(it_blocks_and_does_so_again),
      test(the_file_of_a_dead_one_is_taken_over),
      test(a_file_that_is_somebody_elses_stays),
      test(places_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
