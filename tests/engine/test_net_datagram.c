// Datagram sockets: what is written arrives with its sender, and nothing is left of them.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/datagram.h"
#include "net_turn.h"

static struct world {
  struct net_turn turn;
  struct datagrams *datagrams;
  char directory[64], path[108];
  uint64_t id;
  int texts, wanted;
  char last[DATAGRAM_MAX + 1];
  pid_t pid;
  uid_t uid;
} * world;

static void deliver(struct event *event, void *context) {
  (void)context;
  const struct datagram_event *datagram = (const struct datagram_event *)event;
  assert_int_equal(event->kind, EV_DATAGRAM);
  assert_int_equal(event->id, world->id);
  world->texts++;
  memcpy(world->last, datagram->text, datagram->size_bytes);
  world->last[datagram->size_bytes] = '\0';
  world->pid = datagram->pid;
  world->uid = datagram->uid;
}

static int setup(void **state) {
  world = *state = calloc(1, sizeof *world);
  net_turn_init(&world->turn, deliver, NULL);
  world->datagrams = datagrams_create(&world->turn.loop);
  strcpy(world->directory, "/tmp/pactlua-datagram-XXXXXX");
  assert_non_null(mkdtemp(world->directory));
  snprintf(world->path, sizeof world->path, "%s/n1.sock", world->directory);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  datagrams_destroy(world->datagrams);
  net_turn_finish(&world->turn);
  assert_int_equal(rmdir(world->directory), 0); // its file is gone
  free(world);
  return 0;
}

static bool enough(void *context) {
  (void)context;
  return world->texts >= world->wanted;
}

static void await(int count) {
  world->wanted = count;
  assert_true(net_turn_until(&world->turn, enough, NULL, 60000));
}

static int client(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  socklen_t size = sizeof address;
  strcpy(address.sun_path, path);
  if (path[0] == '@') {
    address.sun_path[0] = '\0';
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  }
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
  return fd;
}

static void a_text_comes_with_its_sender(void **state) {
  (void)state;
  struct stat info;
  assert_int_equal(datagrams_open(world->datagrams, world->path, &world->id), 0);
  assert_int_equal(stat(world->path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  int fd = client(world->path);
  assert_int_equal(send(fd, "READY=1\nSTATUS=fine", 19, 0), 19);
  await(1);
  assert_string_equal(world->last, "READY=1\nSTATUS=fine");
  assert_int_equal(world->pid, getpid());
  assert_int_equal(world->uid, getuid());
  close(fd);
  assert_true(datagrams_cancel(world->datagrams, world->id));
  assert_false(datagrams_cancel(world->datagrams, world->id));
  assert_int_equal(stat(world->path, &info), -1);
}

static void many_texts_all_come(void **state) {
  (void)state;
  assert_int_equal(datagrams_open(world->datagrams, world->path, &world->id), 0);
  int fd = client(world->path), sent = 0;
  while (sent < 1000) {
    char text[16];
    int size = snprintf(text, sizeof text, "N=%d", sent);
    if (send(fd, text, (size_t)size, MSG_DONTWAIT) == size)
      sent++;
    else
      await(sent); // the kernel's queue is full: all of it is taken first
  }
  await(1000);
  assert_string_equal(world->last, "N=999");
  close(fd);
}

static void one_that_is_too_long_is_dropped(void **state) {
  (void)state;
  static char text[DATAGRAM_MAX + 1];
  memset(text, 'x', sizeof text);
  assert_int_equal(datagrams_open(world->datagrams, world->path, &world->id), 0);
  int fd = client(world->path);
  assert_int_equal(send(fd, text, sizeof text, 0), sizeof text);
  assert_int_equal(send(fd, "", 0, 0), 0);
  await(1);
  assert_string_equal(world->last, "");
  close(fd);
}

// A barrier of sd_notify is a pipe's end: its reader waits until we have closed it.
static void a_descriptor_that_is_passed_is_closed(void **state) {
  (void)state;
  int fds[2];
  assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
  assert_int_equal(datagrams_open(world->datagrams, world->path, &world->id), 0);
  int fd = client(world->path);
  struct iovec part = {.iov_base = "BARRIER=1", .iov_len = 9};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {.header = {
                   .cmsg_len = CMSG_LEN(sizeof(int)),
                   .cmsg_level = SOL_SOCKET,
                   .cmsg_type = SCM_RIGHTS,
               }};
  memcpy(CMSG_DATA(&control.header), &fds[1], sizeof(int));
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control.space};
  assert_int_equal(sendmsg(fd, &message, 0), 9);
  close(fds[1]);
  await(1);
  char byte;
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  assert_int_equal(read(fds[0], &byte, 1), 0); // its last writer is gone
  close(fds[0]);
  close(fd);
}

static void a_name_in_the_abstract_namespace_needs_no_file(void **state) {
  (void)state;
  char name[64];
  snprintf(name, sizeof name, "@pactlua-test-%d", getpid());
  assert_int_equal(datagrams_open(world->datagrams, name, &world->id), 0);
  int fd = client(name);
  assert_int_equal(send(fd, "READY=1", 7, 0), 7);
  await(1);
  close(fd);
}

static void a_socket_that_is_there_is_replaced_and_nothing_else(void **state) {
  (void)state;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, world->path);
  int stale = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof address), 0);
  close(stale);
  assert_int_equal(datagrams_open(world->datagrams, world->path, &world->id), 0);
  uint64_t other;
  assert_int_equal(datagrams_open(world->datagrams, world->directory, &other), -EEXIST);
  char path[200];
  memset(path, 'x', sizeof path);
  path[0] = '/';
  path[108] = '\0';
  assert_int_equal(datagrams_open(world->datagrams, path, &other), -ENAMETOOLONG);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(a_text_comes_with_its_sender),
      test(many_texts_all_come),
      test(one_that_is_too_long_is_dropped),
      test(a_descriptor_that_is_passed_is_closed),
      test(a_name_in_the_abstract_namespace_needs_no_file),
      test(a_socket_that_is_there_is_replaced_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
