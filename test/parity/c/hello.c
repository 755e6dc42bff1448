#include "plugin.h"

static void* create(uint64_t instance) {
  uint64_t* self = malloc(sizeof *self);
  *self = instance;
  valor_api->create_done(instance);
  return self;
}

static void start(void* self, uint64_t request, const void* head, size_t head_size) {
  (void)head, (void)head_size;
  respond_text(*(uint64_t*)self, request, 200, view_of("OK response from a plugin"));
}

static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  (void)self, (void)operation, (void)status, (void)data, (void)data_size;
}

static void drop(void* self, uint64_t request, uint32_t reason) {
  (void)self, (void)request, (void)reason;
}

static void destroy(void* self) {
  free(self);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
