// Bodies that come piece by piece: one is out at a time, and meanwhile libcurl reads nothing.
#include <stdlib.h>

#include "base/mem.h"
#include "net/http_transfer.h"

static void piece_destroy(struct event *event) {
  struct http_piece_event *piece = (struct http_piece_event *)event;
  free(piece->headers);
  free(piece->text);
  free(piece->bytes);
  free(piece);
}

static void take_head(struct http_transfer *transfer, struct http_piece_event *piece) {
  long status = 0;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  piece->status = (int)status;
  piece->headers = http_transfer_headers(transfer, &piece->text);
  piece->header_count = transfer->header_count;
  transfer->headers_told = true;
}

size_t http_stream_take(struct http_transfer *transfer, const char *bytes, size_t size) {
  char *location;
  if (http_transfer_redirects(transfer, &location)) return size; // nobody wants this one's body
  if (transfer->held) return CURL_WRITEFUNC_PAUSE;
  struct http_piece_event *piece = mem_new(sizeof *piece);
  piece->event = (struct event){.kind = EV_PIECE, .id = transfer->id, .destroy = piece_destroy};
  if (!transfer->headers_told) take_head(transfer, piece);
  piece->bytes = mem_dup(bytes, size);
  piece->size = size;
  transfer->held = true;
  uv_timer_stop(&transfer->deadline);
  loop_push(http_transfer_loop(transfer), &piece->event);
  return size;
}
