/* Configuration and state in C: created with the config "Alice", it greets whoever ?who= names. */
#include <stdlib.h>
#include <string.h>
#include <valor.h>

/* One of these for each instance, so that no lock is needed. */
typedef struct State {
  uint64_t instance;
  unsigned greeted;
  char name[100];
} State;

static void respond_text(const State* self, uint64_t request, uint32_t status, const char* text, size_t size) {
  /* A header: the sizes of name and value as two uint32_t, then both. */
  static const char headers[] = "\x0c\0\0\0\x18\0\0\0content-typetext/plain;charset=UTF-8";
  valor_api->respond(self->instance, request, status, headers, sizeof headers - 1, text, size);
}

static void* create(uint64_t instance) {
  static const char wrong[] = "the config must be a name, a JSON string of at most 99 bytes";
  State* self = calloc(1, sizeof *self);
  char config[sizeof self->name + 2];
  self->instance = instance;
  int32_t size = valor_api->config(instance, config, sizeof config);
  /* JSON text: a string is in quotes. Escapes within it are left as they are. */
  if (size < 2 || size > (int32_t)sizeof config - 1 || config[0] != '"') {
    valor_api->create_fail(instance, wrong, sizeof wrong - 1);
    return self;
  }
  memcpy(self->name, config + 1, (size_t)size - 2);
  valor_api->create_done(instance);
  return self;
}

/* The value of ?who=, not decoded. NULL when there is none. */
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

static void start(void* pointer, uint64_t request, const void* head, size_t head_size) {
  static const char says[] = " says hello ";
  State* self = pointer;
  size_t who_size = 0;
  const char* who = find_who(head, &who_size);
  (void)head_size;
  if (who == NULL) {
    respond_text(self, request, 400, "Say who: ?who=NAME\n", 19);
    return;
  }
  self->greeted++;
  size_t name_size = strlen(self->name);
  size_t size = name_size + sizeof says - 1 + who_size + 1;
  char* text = malloc(size);
  memcpy(text, self->name, name_size);
  memcpy(text + name_size, says, sizeof says - 1);
  memcpy(text + size - 1 - who_size, who, who_size);
  text[size - 1] = '!';
  respond_text(self, request, 200, text, size);
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
