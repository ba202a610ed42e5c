// The few functions of libedit that are used, found at first need: only who edits lines at a
// terminal pays for it. Its header serves at build time only.
#pragma once
#include <histedit.h>
#include <stdio.h>

struct edit_api {
  EditLine *(*el_init)(const char *program, FILE *in, FILE *out, FILE *err);
  void (*el_end)(EditLine *line);
  int (*el_set)(EditLine *line, int what, ...);
  int (*el_wset)(EditLine *line, int what, ...);
  int (*el_get)(EditLine *line, int what, ...);
  const char *(*el_gets)(EditLine *line, int *size);
  const LineInfo *(*el_line)(EditLine *line);
  int (*el_insertstr)(EditLine *line, const char *text);
  void (*el_deletestr)(EditLine *line, int characters);
  int (*el_source)(EditLine *line, const char *path);
  void (*el_resize)(EditLine *line);
  History *(*history_init)(void);
  void (*history_end)(History *history);
  int (*history)(History *history, HistEvent *event, int what, ...);
};

// The table, or NULL: *why then says what is wrong, for people. Asked once; what came of it stays.
const struct edit_api *edit_api_get(const char **why);
