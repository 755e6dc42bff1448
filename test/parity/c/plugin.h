/* What the case plug-ins share: texts, headers, the query. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <valor.h>

#define PLAIN_TEXT "text/plain;charset=UTF-8"

/* Bytes that somebody else owns; `data` is NULL when there are none. */
typedef struct View {
  const char* data;
  size_t size;
} View;

/* Bytes of one's own: {0} is empty, free(data) ends it. */
typedef struct Buffer {
  char* data;
  size_t size;
  size_t capacity;
} Buffer;

static inline View view_of(const char* text) {
  return (View){text, strlen(text)};
}

static inline bool equals(View view, const char* text) {
  return view.size == strlen(text) && memcmp(view.data, text, view.size) == 0;
}

/* Makes room for `size` more bytes and returns where they go. */
static inline char* reserve(Buffer* buffer, size_t size) {
  if (buffer->capacity - buffer->size < size) {
    while (buffer->capacity - buffer->size < size) buffer->capacity = buffer->capacity * 2 + 64;
    buffer->data = realloc(buffer->data, buffer->capacity);
    if (buffer->data == NULL) abort();
  }
  return buffer->data + buffer->size;
}

static inline void append(Buffer* buffer, View bytes) {
  if (bytes.size > 0) memcpy(reserve(buffer, bytes.size), bytes.data, bytes.size);
  buffer->size += bytes.size;
}

static inline void append_number(Buffer* buffer, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  append(buffer, (View){digits + at, sizeof digits - at});
}

static inline uint64_t number_of(View text) {
  uint64_t number = 0;
  for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
    number = number * 10 + (uint64_t)(text.data[i] - '0');
  return number;
}

/* --- heads --- */

static inline View view_in(const void* head, valor_span span) {
  return (View){(const char*)head + span.offset, span.size};
}

/* The first header of this name among `count` at `list`. */
static inline View find_header(const void* head, uint32_t list, uint32_t count, const char* name) {
  const valor_header* headers = (const void*)((const char*)head + list);
  for (uint32_t i = 0; i < count; i++)
    if (equals(view_in(head, headers[i].name), name)) return view_in(head, headers[i].value);
  return (View){NULL, 0};
}

/* Adds a header to a block of them, as respond() takes it. */
static inline void append_header(Buffer* block, View name, View value) {
  const uint32_t sizes[2] = {(uint32_t)name.size, (uint32_t)value.size};
  append(block, (View){(const char*)sizes, sizeof sizes});
  append(block, name);
  append(block, value);
}

static inline View path_of(View url) {
  const char* query = url.size > 0 ? memchr(url.data, '?', url.size) : NULL;
  return query != NULL ? (View){url.data, (size_t)(query - url.data)} : url;
}

/* The value of a query parameter as it stands in the url; {NULL, 0} when it is not there, "" when it has none. */
static inline View find_parameter(View url, const char* name) {
  const size_t name_size = strlen(name);
  const char* const end = url.data + url.size;
  for (const char* at = url.data + path_of(url).size; at < end;) {
    const char* start = at + 1;
    const char* next = memchr(start, '&', (size_t)(end - start));
    at = next != NULL ? next : end;
    if ((size_t)(at - start) < name_size || memcmp(start, name, name_size) != 0) continue;
    if (start + name_size == at) return view_of("");
    if (start[name_size] == '=') return (View){start + name_size + 1, (size_t)(at - start) - name_size - 1};
  }
  return (View){NULL, 0};
}

static inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends a value of a query, decoded. */
static inline void append_decoded(Buffer* buffer, View text) {
  char* to = reserve(buffer, text.size);
  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i] == '+' ? ' ' : text.data[i];
    if (c == '%' && i + 2 < text.size && hex_digit(text.data[i + 1]) >= 0 && hex_digit(text.data[i + 2]) >= 0) {
      c = (char)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
      i += 2;
    }
    *to++ = c;
  }
  buffer->size = (size_t)(to - buffer->data);
}

/* --- answers --- */

static inline void respond_text(uint64_t instance, uint64_t request, uint32_t status, View text) {
  Buffer headers = {0};
  append_header(&headers, view_of("content-type"), view_of(PLAIN_TEXT));
  valor_api->respond(instance, request, status, headers.data, headers.size, text.data, text.size);
  free(headers.data);
}

#endif
