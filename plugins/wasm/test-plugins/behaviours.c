/* Speaks the ABI without an SDK, and does what the first word of the URL or of the config says, right or wrong. */
#include <stdlib.h>
#include <string.h>
#include <valor.h>

#define ECHO_BUFFER 65536

static uint64_t instance;
static volatile int sink;

struct echo {
  uint64_t request;
  char buffer[ECHO_BUFFER];
};

/* What an operation number means: a kind in its highest byte, and a request or a pointer below. */
enum { READ = 1, WRITE = 2, SLEEP = 3, STREAM = 4 };
static uint64_t operation(int kind, uint64_t rest) {
  return (uint64_t)kind << 56 | rest;
}

static unsigned dropped;
static uint32_t last_reason;

static void answer(uint64_t request, const char* text) {
  valor_api->respond(instance, request, 200, NULL, 0, text, strlen(text));
}
static void answer_number(uint64_t request, long long number) {
  char text[32];
  char* at = text + sizeof text;
  unsigned long long rest = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
  *--at = 0;
  do *--at = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (number < 0) *--at = '-';
  answer(request, at);
}

__attribute__((noinline)) static int descend(int n) {
  /* Without a frame in memory, which would run out first. */
  return n == -1 ? 0 : descend(n + 1) + sink;
}
__attribute__((noinline)) static void boom(void) {
  __builtin_trap();
}

/* --- what stops an instance; also at creation --- */

static int misbehave(const char* what) {
  if (strcmp(what, "trap") == 0) boom();
  if (strcmp(what, "out-of-bounds") == 0) sink = *(volatile int*)0xfffffff0u;
  if (strcmp(what, "stack") == 0) sink = descend(1);
  if (strcmp(what, "loop") == 0) {
    for (;;) ++sink;
  }
  if (strcmp(what, "abort") == 0) {
    valor_api->abort(instance, "I cannot go on", 14);
    valor_api->log(instance, VALOR_LOG_ERROR, "went on after abort()", 21);
    return 1;
  }
  if (strcmp(what, "log-for-ever") == 0) {
    for (;;) valor_api->log(instance, VALOR_LOG_DEBUG, "again", 5);
  }
  if (strcmp(what, "sleep-for-ever") == 0) {
    for (uint64_t i = 0;; ++i) valor_api->sleep(instance, 1000000, operation(SLEEP, i));
  }
  if (strcmp(what, "hoard") == 0) {
    for (char* more = malloc(1 << 20);; more = malloc(1 << 20)) {
      if (more == NULL) boom();
      memset(more, 1, 1 << 20);
    }
  }
  return 0;
}

/* --- streams --- */

static void pump(struct echo* echo);
static void end_echo(struct echo* echo) {
  free(echo);
}
static void pump(struct echo* echo) {
  for (;;) {
    int32_t got =
        valor_api->body_read(instance, echo->request, echo->buffer, ECHO_BUFFER, operation(READ, (uintptr_t)echo));
    if (got == VALOR_WAIT) return;
    if (got <= 0) {
      if (got == 0) valor_api->send_end(instance, echo->request);
      return end_echo(echo);
    }
    int32_t sent =
        valor_api->send_body(instance, echo->request, echo->buffer, (size_t)got, operation(WRITE, (uintptr_t)echo));
    if (sent == VALOR_WAIT) return;
    if (sent != VALOR_OK) return end_echo(echo);
  }
}

static void stream(uint64_t request) {
  static char piece[16384];
  memset(piece, 'e', sizeof piece);
  for (;;) {
    int32_t sent = valor_api->send_body(instance, request, piece, sizeof piece, operation(STREAM, request));
    if (sent != VALOR_OK) return;
  }
}

/* --- what the host is to refuse --- */

static long long refused(uint64_t request, const char* what) {
  static const char text[] = "x";
  const char* far = (const char*)0xffffff00u;
  if (strcmp(what, "log-far") == 0) return valor_api->log(instance, 1, far, 16);
  if (strcmp(what, "log-wraps") == 0) return valor_api->log(instance, 1, far, 0xffffffffu);
  if (strcmp(what, "log-over-end") == 0) {
    const size_t end = (size_t)__builtin_wasm_memory_size(0) << 16;
    return valor_api->log(instance, 1, (const char*)(end - 1), 2);
  }
  if (strcmp(what, "log-up-to-end") == 0) {
    const size_t end = (size_t)__builtin_wasm_memory_size(0) << 16;
    return valor_api->log(instance, 1, (const char*)(end - 1), 1);
  }
  if (strcmp(what, "log-empty-far") == 0) return valor_api->log(instance, 1, far, 0);
  if (strcmp(what, "log-level") == 0) return valor_api->log(instance, 9, text, 1);
  if (strcmp(what, "random-far") == 0) return valor_api->random((void*)far, 512);
  if (strcmp(what, "config-far") == 0) return valor_api->config(instance, (char*)far, 512);
  if (strcmp(what, "read-far") == 0) return valor_api->body_read(instance, request, (void*)far, 512, 1);
  if (strcmp(what, "headers-far") == 0) return valor_api->respond(instance, request, 200, far, 512, text, 1);
  if (strcmp(what, "body-far") == 0) return valor_api->respond(instance, request, 200, NULL, 0, far, 512);
  if (strcmp(what, "other-instance") == 0) return valor_api->respond(instance + 1, request, 200, NULL, 0, text, 1);
  if (strcmp(what, "instance-0") == 0) return valor_api->log(0, 1, text, 1);
  if (strcmp(what, "unknown-request") == 0) return valor_api->respond(instance, request + 1000, 200, NULL, 0, text, 1);
  if (strcmp(what, "unknown-operation") == 0) return valor_api->cancel(instance, 12345);
  if (strcmp(what, "created-again") == 0) return valor_api->create_done(instance);
  if (strcmp(what, "clock") == 0) return (long long)valor_api->now(77);
  return 99;
}

static int is(const char* text, const char* start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static void start(void* self, uint64_t request, const void* block, size_t block_size) {
  const valor_request_head* head = block;
  static char url[65536];
  if (head->url.size >= sizeof url) return answer_number(request, (long long)block_size);
  memcpy(url, (const char*)block + head->url.offset, head->url.size);
  url[head->url.size] = 0;
  if (misbehave(url)) return;
  if (is(url, "refused/")) {
    answer_number(request, refused(request, url + 8));
  } else if (strcmp(url, "twice") == 0) {
    answer(request, "first");
    answer(request, "second");
  } else if (strcmp(url, "echo") == 0) {
    struct echo* echo = malloc(sizeof *echo);
    echo->request = request;
    valor_api->send_head(instance, request, 200, NULL, 0, VALOR_LENGTH_UNKNOWN);
    pump(echo);
  } else if (strcmp(url, "endless") == 0) {
    valor_api->send_head(instance, request, 200, NULL, 0, VALOR_LENGTH_UNKNOWN);
    stream(request);
  } else if (strcmp(url, "dropped") == 0) {
    answer_number(request, dropped * 10 + last_reason);
  } else if (strcmp(url, "never") == 0) {
    return;
  } else if (is(url, "sleep/")) {
    valor_api->sleep(instance, (uint64_t)atoi(url + 6), operation(SLEEP, request));
  } else if (strcmp(url, "pages") == 0) {
    answer_number(request, (long long)__builtin_wasm_memory_size(0));
  } else if (strcmp(url, "grow") == 0) {
    while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1) ++sink;
    answer_number(request, (long long)__builtin_wasm_memory_size(0));
  } else if (strcmp(url, "words") == 0) {
    char text[512];
    int32_t size = valor_api->name(instance, text, 100);
    text[size++] = ' ';
    size += valor_api->config(instance, text + size, 100);
    text[size++] = ' ';
    size += valor_api->location(instance, text + size, 100);
    valor_api->respond(instance, request, 200, NULL, 0, text, (size_t)size);
  } else if (strcmp(url, "state") == 0) {
    char count = '0';
    valor_api->state_get(instance, "count", 5, &count, 1);
    ++count;
    valor_api->state_set(instance, "count", 5, &count, 1);
    valor_api->respond(instance, request, 200, NULL, 0, &count, 1);
  } else if (strcmp(url, "now") == 0) {
    answer_number(request,
                  valor_api->now(VALOR_CLOCK_UNIX) > 1700000000000000 && valor_api->now(VALOR_CLOCK_MONOTONIC) > 0);
  } else if (strcmp(url, "random") == 0) {
    unsigned char bytes[64] = {0};
    unsigned sum = 0;
    valor_api->random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; ++i) sum += bytes[i];
    answer_number(request, sum > 0);
  } else if (strcmp(url, "fail") == 0) {
    valor_api->fail(instance, request, "it did not work", 15);
  } else {
    answer(request, "fine");
  }
  (void)self;
}

static void complete(void* self, uint64_t number, int32_t status, const void* data, size_t data_size) {
  const uint64_t rest = number & 0xffffffffffffffu;
  struct echo* echo = (struct echo*)(uintptr_t)rest;
  switch (number >> 56) {
    case READ:
    case WRITE:
      if (status == VALOR_OK) {
        pump(echo);
      } else {
        end_echo(echo);
      }
      break;
    case SLEEP:
      answer(rest, "slept");
      break;
    case STREAM:
      if (status == VALOR_OK) stream(rest);
      break;
  }
  (void)self, (void)data, (void)data_size;
}

static void drop(void* self, uint64_t request, uint32_t reason) {
  ++dropped;
  last_reason = reason;
  (void)self, (void)request;
}

static void destroy(void* self) {
  char config[64] = {0};
  valor_api->config(instance, config, sizeof config - 1);
  if (strcmp(config, "\"loops-at-end\"") == 0) misbehave("loop");
  valor_api->log(instance, VALOR_LOG_INFO, "destroyed", 9);
  (void)self;
}

static void* create(uint64_t number) {
  char config[64] = {0};
  instance = number;
  const int32_t size = valor_api->config(instance, config, sizeof config - 1);
  if (size > 2 && size < 60) config[size - 1] = 0;
  const char* deed = config + 1; /* without the quotes */
  if (strcmp(deed, "fails") == 0) {
    valor_api->create_fail(instance, "the config is wrong", 19);
  } else if (strcmp(deed, "never-done") != 0 && !misbehave(deed)) {
    valor_api->create_done(instance);
  }
  return NULL;
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)

#ifdef INITIALISE
__attribute__((constructor)) static void initialise(void) {
  INITIALISE;
}
#endif
