#include "net/control.h"

#include <stdlib.h>

#include "base/mem.h"

struct control {
  struct loop *loop;
  struct http_server *server; // NULL until used
  struct http_links *links;   // NULL until used
};

struct control *control_create(struct loop *loop) {
  struct control *control = mem_new(sizeof *control);
  control->loop = loop;
  return control;
}

void control_destroy(struct control *control) {
  if (!control) return;
  http_server_destroy(control->server);
  http_links_destroy(control->links);
  free(control);
}

struct http_server *control_server(struct control *control) {
  if (!control->server) control->server = http_server_create(control->loop);
  return control->server;
}

struct http_links *control_links(struct control *control) {
  if (!control->links) control->links = http_links_create(control->loop);
  return control->links;
}

bool control_cancel(struct control *control, uint64_t id) {
  return (control->server && http_server_cancel(control->server, id)) ||
         (control->links && http_links_cancel(control->links, id));
}
