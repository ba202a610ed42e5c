#include "net/http_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_field {
  uint32_t name, value; // offsets in text
};

static struct http_reader *reader_of(http_parser *parser) {
  return parser->data;
}

static int refuse(struct http_reader *reader, int status, const char *why) {
  if (reader->refusal) return -1;
  reader->refusal_status = status;
  reader->refusal = why;
  return -1;
}

// Appends to the text, with a NUL behind that the next append writes over.
static int add_text(struct http_reader *reader, const char *bytes, size_t size) {
  if (reader->text_size + size + 1 > HTTP_HEAD_MAX)
    return refuse(reader, 431, "the head is larger than 64 KiB");
  if (reader->text_size + size + 1 > reader->text_capacity) {
    size_t capacity = reader->text_capacity ? reader->text_capacity : 512;
    while (capacity < reader->text_size + size + 1) capacity *= 2;
    char *text = realloc(reader->text, capacity);
    if (!text) return refuse(reader, 500, "out of memory");
    reader->text = text;
    reader->text_capacity = capacity;
  }
  memcpy(reader->text + reader->text_size, bytes, size);
  reader->text_size += size;
  reader->text[reader->text_size] = '\0';
  return 0;
}

static int end_text(struct http_reader *reader) {
  return add_text(reader, "", 1);
}

static int on_begin(http_parser *parser) {
  reader_of(parser)->state = HTTP_READER_PARTIAL;
  return 0;
}

static int on_url(http_parser *parser, const char *bytes, size_t size) {
  struct http_reader *reader = reader_of(parser);
  if (reader->target_size + size > HTTP_TARGET_MAX)
    return refuse(reader, 414, "the path is longer than 8 KiB");
  reader->target_size += size;
  return add_text(reader, bytes, size);
}

static int begin_field(struct http_reader *reader) {
  if (reader->field_count == HTTP_HEADERS_MAX) return refuse(reader, 431, "more than 256 headers");
  if (reader->field_count == reader->field_capacity) {
    size_t capacity = reader->field_capacity ? reader->field_capacity * 2 : 16;
    struct http_field *fields = realloc(reader->fields, capacity * sizeof *fields);
    if (!fields) return refuse(reader, 500, "out of memory");
    reader->fields = fields;
    reader->field_capacity = capacity;
  }
  if (end_text(reader)) return -1;
  reader->fields[reader->field_count++] = (struct http_field){(uint32_t)reader->text_size, 0};
  return 0;
}

static int on_field(http_parser *parser, const char *bytes, size_t size) {
  struct http_reader *reader = reader_of(parser);
  if (reader->head_done) return 0; // a trailer
  if ((reader->in_value || !reader->field_count) && begin_field(reader)) return -1;
  reader->in_value = false;
  if (memchr(bytes, ' ', size)) return refuse(reader, 400, "there is a space in a header's name");
  if (add_text(reader, bytes, size)) return -1;
  for (char *at = reader->text + reader->text_size - size; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
  return 0;
}

static int on_value(http_parser *parser, const char *bytes, size_t size) {
  struct http_reader *reader = reader_of(parser);
  if (reader->head_done) return 0;
  if (!reader->in_value) {
    if (end_text(reader)) return -1;
    reader->fields[reader->field_count - 1].value = (uint32_t)reader->text_size;
    reader->in_value = true;
  }
  return add_text(reader, bytes, size);
}

// Offsets become pointers: the text moves into the message and grows no more.
static int take_head(struct http_reader *reader) {
  struct http_message *message = &reader->message;
  if (end_text(reader)) return -1;
  message->text = reader->text;
  reader->text = NULL;
  reader->text_size = reader->text_capacity = 0;
  message->headers = calloc(reader->field_count + 1, sizeof *message->headers);
  if (!message->headers) return refuse(reader, 500, "out of memory");
  for (size_t i = 0; i < reader->field_count; i++)
    message->headers[i] = (struct http_pair){message->text + reader->fields[i].name,
                                             message->text + reader->fields[i].value};
  message->header_count = reader->field_count;
  return 0;
}

// What http-parser lets pass, and two programs on a request's way might read in two ways.
static int check_framing(struct http_reader *reader) {
  const struct http_message *message = &reader->message;
  const char *host = NULL, *coding = NULL;
  for (size_t i = 0; i < message->header_count; i++) {
    const struct http_pair *header = &message->headers[i];
    if (strcmp(header->name, "host") == 0) {
      if (host) return refuse(reader, 400, "there are two Host headers");
      host = header->value;
    } else if (strcmp(header->name, "transfer-encoding") == 0) {
      if (coding || strcasecmp(header->value, "chunked") != 0)
        return refuse(reader, 501, "of transfer encodings only chunked is read");
      coding = header->value;
    }
  }
  if (message->authority && host && strcasecmp(message->authority, host) != 0)
    return refuse(reader, 400, "the target's host is another than that of the header Host");
  return 0;
}

static int on_head(http_parser *parser) {
  struct http_reader *reader = reader_of(parser);
  struct http_message *message = &reader->message;
  if (take_head(reader)) return -1;
  reader->head_done = true;
  if (parser->http_major != 1) return refuse(reader, 505, "this isn't HTTP/1.1");
  message->http_1_0 = parser->http_minor == 0;
  message->status = parser->status_code;
  if (reader->requests) {
    message->method = http_method_str((enum http_method)parser->method);
    if (parser->method == HTTP_CONNECT) return refuse(reader, 501, "CONNECT isn't served");
    if (!http_message_target(message, message->text, reader->target_size))
      return refuse(reader, 400, "the path is malformed");
    if (check_framing(reader)) return -1;
    parser->upgrade = 0; // asked for, never granted: what follows is HTTP
  }
  bool large = (parser->flags & F_CONTENTLENGTH) && parser->content_length > reader->body_max;
  if (reader->head && !(large && reader->requests)) reader->head(reader);
  if (reader->bodiless) return 1; // tells http-parser so
  return large && !reader->piece ? refuse(reader, 413, "the body is too large") : 0;
}

static int on_body(http_parser *parser, const char *bytes, size_t size) {
  struct http_reader *reader = reader_of(parser);
  struct http_message *message = &reader->message;
  if (reader->piece) {
    reader->piece(reader, bytes, size);
    return 0;
  }
  if (message->body_size + size > reader->body_max)
    return refuse(reader, 413, "the body is too large");
  if (message->body_size + size + 1 > reader->body_capacity) {
    size_t capacity = reader->body_capacity ? reader->body_capacity * 2 : 1024;
    while (capacity < message->body_size + size + 1) capacity *= 2;
    char *body = realloc(message->body, capacity);
    if (!body) return refuse(reader, 500, "out of memory");
    message->body = body;
    reader->body_capacity = capacity;
  }
  memcpy(message->body + message->body_size, bytes, size);
  message->body_size += size;
  message->body[message->body_size] = '\0';
  return 0;
}

static int on_complete(http_parser *parser) {
  struct http_reader *reader = reader_of(parser);
  reader->message.keep_alive = http_should_keep_alive(parser);
  reader->state = HTTP_READER_COMPLETE;
  http_parser_pause(parser, 1);
  return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void start(struct http_reader *reader) {
  http_parser_init(&reader->parser, reader->requests ? HTTP_REQUEST : HTTP_RESPONSE);
  reader->parser.data = reader;
}

void http_reader_init(struct http_reader *reader, bool requests) {
  *reader = (struct http_reader){
      .requests = requests,
      .body_max = requests ? HTTP_REQUEST_BODY_MAX : HTTP_ANSWER_BODY_MAX,
  };
  start(reader);
}

void http_reader_finish(struct http_reader *reader) {
  http_message_finish(&reader->message);
  free(reader->text);
  free(reader->fields);
  *reader = (struct http_reader){0};
}

// Turns what http-parser found wrong into what we answer.
static void judge(struct http_reader *reader) {
  enum http_errno error = HTTP_PARSER_ERRNO(&reader->parser);
  if (error == HPE_OK || error == HPE_PAUSED) return;
  if (error == HPE_HEADER_OVERFLOW)
    refuse(reader, 431, "the head is larger than 64 KiB");
  else if (error == HPE_INVALID_EOF_STATE)
    refuse(reader, 400, "the message is cut off");
  else
    refuse(reader, 400, http_errno_description(error));
  reader->state = HTTP_READER_REFUSED;
}

size_t http_reader_feed(struct http_reader *reader, const char *bytes, size_t size) {
  if (reader->state >= HTTP_READER_COMPLETE || !size) return 0;
  size_t taken = http_parser_execute(&reader->parser, &settings, bytes, size);
  judge(reader);
  return taken;
}

void http_reader_eof(struct http_reader *reader) {
  if (reader->state >= HTTP_READER_COMPLETE) return;
  http_parser_execute(&reader->parser, &settings, NULL, 0);
  judge(reader);
  if (reader->state != HTTP_READER_PARTIAL) return;
  refuse(reader, 400, "the message is cut off");
  reader->state = HTTP_READER_REFUSED;
}

void http_reader_next(struct http_reader *reader) {
  http_message_finish(&reader->message);
  reader->text_size = reader->target_size = reader->field_count = reader->body_capacity = 0;
  reader->in_value = reader->head_done = false;
  reader->piece = NULL;
  reader->state = HTTP_READER_IDLE;
  start(reader);
}
