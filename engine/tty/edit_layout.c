#include "tty/edit_layout.h"

#include <string.h>

#include "base/utf8.h"

#define TAB_STOP 8

static size_t width_of(uint32_t character, size_t column) {
  if (character == '\t') return TAB_STOP - column % TAB_STOP;
  if (character < ' ' || character == 127) return 2;
  return character == UTF8_INVALID ? 1 : (size_t)utf8_columns(character);
}

static void advance(struct edit_place *place, size_t width, size_t columns) {
  if (place->column + width > columns) {
    place->row++;
    place->column = 0;
  }
  place->column += width;
}

static void place_text(struct edit_place *place, const char *text, size_t size, size_t columns) {
  for (const char *at = text, *end = text + size; at < end;) {
    uint32_t character = utf8_next(&at, end);
    if (character == '\n') {
      place->row++;
      place->column = 0;
    } else {
      advance(place, width_of(character, place->column), columns);
    }
  }
}

// Between two '\1' stands what takes no columns.
static void place_prompt(struct edit_place *place, const char *prompt, size_t columns) {
  while (*prompt) {
    size_t shown = strcspn(prompt, "\1");
    place_text(place, prompt, shown, columns);
    prompt += shown;
    if (!*prompt) return;
    const char *behind = strchr(prompt + 1, '\1');
    if (!behind) return;
    prompt = behind + 1;
  }
}

struct edit_place edit_layout(const char *prompt, const char *text, size_t size, size_t columns) {
  struct edit_place place = {0};
  if (!columns) columns = 1;
  place_prompt(&place, prompt, columns);
  place_text(&place, text, size, columns);
  if (place.column >= columns) { // the cursor is at the beginning of the next row
    place.row++;
    place.column = 0;
  }
  return place;
}
