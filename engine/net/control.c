#include "net/control.h"

#include <errno.h>
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

int64_t control_frame(struct control *control, uint64_t id, char kind, const char *bytes,
                      size_t size) {
  int64_t result = -ENOENT;
  if (control->server) result = http_server_frame(control->server, id, kind, bytes, size);
  if (result != -ENOENT || !control->links) return result;
  return http_link_frame(control->links, id, kind, bytes, size);
}

bool control_cancel(struct control *control, uint64_t id) {
  return (control->server && http_server_cancel(control->server, id)) ||
         (control->links && http_links_cancel(control->links, id));
}
