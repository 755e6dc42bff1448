/* Greets: /__name__?who=Bob is answered with "Alice says hello Bob!". The name is the config in plugins.json. */
#include <stdlib.h>
#include <string.h>
#include <valor.h>

/* One of these for each instance. */
typedef struct State {
  uint64_t instance;
  char name[100];
  size_t name_size;
} State;

static void* create(uint64_t instance) {
  static const char wrong[] = "the config is a name of at most 98 bytes, for example \"config\": \"Alice\"";
  State* self = calloc(1, sizeof *self);
  self->instance = instance;
  /* JSON text, so a string is in quotes. */
  int32_t size = valor_api->config(instance, self->name, sizeof self->name);
  if (size < 2 || size > (int32_t)sizeof self->name || self->name[0] != '"') {
    valor_api->create_fail(instance, wrong, sizeof wrong - 1);
    return self;
  }
  self->name_size = (size_t)size - 2;
  memmove(self->name, self->name + 1, self->name_size);
  valor_api->create_done(instance);
  return self;
}

static void respond(const State* self, uint64_t request, uint32_t status, const char* text, size_t size) {
  /* Headers: of each the sizes of name and value as two uint32_t, then both. */
  static const char headers[] = "\x0c\0\0\0\x18\0\0\0content-typetext/plain;charset=UTF-8";
  valor_api->respond(self->instance, request, status, headers, sizeof headers - 1, text, size);
}

/* The value of ?who=, as it stands in the url. NULL when there is none. */
static const char* find_who(const valor_request_head* head, size_t* size) {
  const char* url = (const char*)head + head->url.offset;
  const char* end = url + head->url.size;
  const char* at = memchr(url, '?', head->url.size);
  while (at != NULL && ++at < end) {
    const char* next = memchr(at, '&', (size_t)(end - at));
    const char* stop = next != NULL ? next : end;
    if (stop - at >= 4 && memcmp(at, "who=", 4) == 0) {
      *size = (size_t)(stop - at - 4);
      return at + 4;
    }
    at = next;
  }
  return NULL;
}

static char* put(char* to, const char* text, size_t size) {
  memcpy(to, text, size);
  return to + size;
}

static void start(void* pointer, uint64_t request, const void* head, size_t head_size) {
  static const char missing[] = "Say who: ?who=NAME\n";
  State* self = pointer;
  size_t who_size = 0;
  const char* who = find_who(head, &who_size);
  (void)head_size;
  if (who == NULL) {
    respond(self, request, 400, missing, sizeof missing - 1);
    return;
  }
  char* text = malloc(self->name_size + who_size + 20);
  char* end = put(text, self->name, self->name_size);
  end = put(end, " says hello ", 12);
  end = put(end, who, who_size);
  end = put(end, "!\n", 2);
  respond(self, request, 200, text, (size_t)(end - text));
  free(text);
}

static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  (void)self, (void)operation, (void)status, (void)data, (void)data_size; /* it never waits */
}

static void drop(void* self, uint64_t request, uint32_t reason) {
  (void)self, (void)request, (void)reason;
}

static void destroy(void* self) {
  free(self);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
