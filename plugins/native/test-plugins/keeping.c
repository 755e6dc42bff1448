/* Keeps values by key. Each request is a step: set, get, or delete of a key with a value of some size, as its url says:
 * "set?KEY", "get?KEY", "delete?KEY", "fill?BYTES" (key "big"), "long?BYTES" (a key of that size), "many?NUMBER" (of
 * keys without values). Answers with the result, and what was got. */
#include <stdlib.h>
#include <string.h>
#include <valor.h>

static void* create(uint64_t number) {
  uint64_t* self = malloc(sizeof *self);
  *self = number;
  valor_api->create_done(number);
  return self;
}

static void start(void* self, uint64_t request, const void* block, size_t block_size) {
  const uint64_t instance = *(uint64_t*)self;
  const valor_request_head* head = block;
  const char* url = (const char*)block + head->url.offset;
  const char* mark = memchr(url, '?', head->url.size);
  const char* key = mark + 1;
  const size_t key_size = (size_t)(url + head->url.size - key);
  char answer[128];
  size_t size = 1;
  int32_t result = VALOR_INVALID;
  size_t number = 0, i;
  (void)block_size;
  for (i = 0; i < key_size; ++i) number = number * 10 + (size_t)(key[i] - '0');
  switch (url[0]) {
    case 's':
      result = valor_api->state_set(instance, key, key_size, key, key_size);
      break;
    case 'd':
      result = valor_api->state_delete(instance, key, key_size);
      break;
    case 'g':
      /* Less room than there is value: the rest is not touched. */
      memset(answer, '.', sizeof answer);
      result = valor_api->state_get(instance, key, key_size, answer + 1, 4);
      if (result >= 0) size = 6;
      break;
    case 'f': {
      char* value = calloc(1, number);
      result = valor_api->state_set(instance, "big", 3, value, number);
      free(value);
      break;
    }
    case 'm': {
      uint32_t each;
      for (each = 0; each < number; ++each) {
        result = valor_api->state_set(instance, (const char*)&each, sizeof each, NULL, 0);
      }
      break;
    }
    case 'l': {
      char* long_key = calloc(1, number + 1);
      result = valor_api->state_set(instance, long_key, number, "v", 1);
      free(long_key);
      break;
    }
  }
  answer[0] = result < 0 ? (char)('0' - result) : (char)('a' + result % 26);
  valor_api->respond(instance, request, 200, NULL, 0, answer, size);
}

static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t size) {
  (void)self, (void)operation, (void)status, (void)data, (void)size;
}
static void drop(void* self, uint64_t request, uint32_t reason) {
  (void)self, (void)request, (void)reason;
}
static void destroy(void* self) {
  free(self);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
