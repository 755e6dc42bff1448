/* A library whose entry returns what BROKEN says. */
#include <stddef.h>
#include <valor.h>

#define FUTURE 1
#define ANCIENT 2
#define SMALL 3
#define HOLE 4
#define REFUSES 5

static void* create(uint64_t instance) {
  (void)instance;
  return NULL;
}
static void destroy(void* self) {
  (void)self;
}

const valor_guest* valor_plugin_v1(const valor_host* host) {
  static valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, NULL, NULL, NULL, destroy};
  (void)host;
#if BROKEN == FUTURE
  guest.abi = 2;
#elif BROKEN == ANCIENT
  guest.abi = 0;
#elif BROKEN == SMALL
  guest.size = 16;
#elif BROKEN == REFUSES
  return NULL;
#endif
  return &guest;
}
