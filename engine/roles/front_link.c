#include "roles/front_link.h"

int front_link_take(struct front_link *link) {
  int fd = link->fd;
  link->fd = -1;
  return fd;
}

int front_link_attach(struct front_link *link, struct loop *loop) {
  (void)link;
  (void)loop;
  return 0;
}

void front_link_detach(struct front_link *link) {
  (void)link;
}
