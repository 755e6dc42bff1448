#include "plugin.h"

typedef struct State {
  uint64_t instance;
  uint64_t greeted;
  Buffer name;
} State;

static void* create(uint64_t instance) {
  static const char wrong[] = "the config must be a name, a JSON string";
  State* self = calloc(1, sizeof *self);
  self->instance = instance;
  const size_t size = (size_t)valor_api->config(instance, NULL, 0);
  char* config = reserve(&self->name, size);
  valor_api->config(instance, config, size);
  if (config[0] != '"') {
    valor_api->create_fail(instance, wrong, sizeof wrong - 1);
    return self;
  }
  /* Without the quotes; escapes within are left as they are. */
  memmove(config, config + 1, size - 2);
  self->name.size = size - 2;
  valor_api->create_done(instance);
  return self;
}

static void start(void* pointer, uint64_t request, const void* head, size_t head_size) {
  (void)head_size;
  State* self = pointer;
  const View url = view_in(head, ((const valor_request_head*)head)->url);
  const View who = find_parameter(url, "who");
  Buffer text = {0};
  if (equals(path_of(url), "count")) {
    append_number(&text, self->greeted);
  } else if (who.data == NULL) {
    respond_text(self->instance, request, 400, view_of("who is missing"));
    return;
  } else {
    self->greeted++;
    append(&text, (View){self->name.data, self->name.size});
    append(&text, view_of(" says hello "));
    append_decoded(&text, who);
    append(&text, view_of("!"));
  }
  respond_text(self->instance, request, 200, (View){text.data, text.size});
  free(text.data);
}

static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  (void)self, (void)operation, (void)status, (void)data, (void)data_size;
}

static void drop(void* self, uint64_t request, uint32_t reason) {
  (void)self, (void)request, (void)reason;
}

static void destroy(void* pointer) {
  State* self = pointer;
  free(self->name.data);
  free(self);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
