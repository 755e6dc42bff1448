/* Lies about memory: what valor_alloc() gives is what the config says. */
#include <stdlib.h>
#include <string.h>
#include <valor.h>

static uint64_t instance;
static char mode[32];
static char place[65536] __attribute__((aligned(8)));
static unsigned allocations;

VALOR_EXPORT(valor_abi) uint32_t abi(void) {
  return VALOR_ABI_VERSION;
}

VALOR_EXPORT(valor_alloc) uint32_t allocate(uint32_t size) {
  ++allocations;
  if (strcmp(mode, "zero") == 0) return 0;
  if (strcmp(mode, "far") == 0) return 0xfffffff8u;
  if (strcmp(mode, "end") == 0) return (uint32_t)(__builtin_wasm_memory_size(0) << 16) - 8;
  if (strcmp(mode, "odd") == 0) return (uint32_t)(uintptr_t)place + 1;
  if (strcmp(mode, "trap") == 0) __builtin_trap();
  if (strcmp(mode, "loop") == 0) {
    for (volatile int i = 0;; ++i) continue;
  }
  if (strcmp(mode, "abort") == 0) valor_api->abort(instance, "no memory", 9);
  /* Where its own data is: harmless for everybody else. */
  if (strcmp(mode, "start") == 0) return 8;
  if (strcmp(mode, "grows") == 0) {
    const uint32_t page = (uint32_t)__builtin_wasm_memory_grow(0, 16);
    return page << 16;
  }
  (void)size;
  return (uint32_t)(uintptr_t)place;
}

VALOR_EXPORT(valor_free) void release(uint32_t pointer, uint32_t size) {
  if (strcmp(mode, "free-traps") == 0) __builtin_trap();
  (void)pointer, (void)size;
}

VALOR_EXPORT(valor_create) void* create(uint64_t number) {
  instance = number;
  char config[32] = {0};
  int32_t size = valor_api->config(number, config, sizeof config - 1);
  memcpy(mode, config + 1, size > 2 ? (size_t)size - 2 : 0);
  valor_api->create_done(number);
  return NULL;
}

VALOR_EXPORT(valor_start) void start(void* self, uint64_t request, const void* head, size_t head_size) {
  const char count = (char)('0' + allocations);
  valor_api->respond(instance, request, 200, NULL, 0, &count, 1);
  (void)self, (void)head, (void)head_size;
}

VALOR_EXPORT(valor_complete)
void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  (void)self, (void)operation, (void)status, (void)data, (void)data_size;
}
VALOR_EXPORT(valor_drop) void drop(void* self, uint64_t request, uint32_t reason) {
  (void)self, (void)request, (void)reason;
}
VALOR_EXPORT(valor_destroy) void destroy(void* self) {
  (void)self;
}
