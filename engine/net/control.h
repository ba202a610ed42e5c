// Both ends of the control protocol, in one process: the engine serves, the front and the command
// line ask. Each end is made at its first use.
#pragma once
#include "net/http_link.h"
#include "net/http_server.h"

struct control;

struct control *control_create(struct loop *loop);
void control_destroy(struct control *control); // NULL is fine

struct http_server *control_server(struct control *control);
struct http_links *control_links(struct control *control);

// Sends a frame on an upgraded request or call: as http_server_frame or http_link_frame, by whose
// id it is.
int64_t control_frame(struct control *control, uint64_t id, char kind, const char *bytes,
                      size_t size);
// Ends a request, a listener, a link or a call by its id; no event of that id follows. False when
// there is no such id.
bool control_cancel(struct control *control, uint64_t id);
