/* Speaks the ABI without an SDK, and breaks its rules on demand. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valor.h>

static const valor_host* host;

struct instance {
  uint64_t number;
  uint64_t waiting; /* a request whose operation is under way */
  char buffer[4];
};

static void* create(uint64_t number) {
  struct instance* self = calloc(1, sizeof *self);
  self->number = number;
  host->create_done(number);
  return self;
}

static int is(const void* head, const char* url) {
  const valor_request_head* fixed = head;
  return fixed->url.size == strlen(url) && memcmp((const char*)head + fixed->url.offset, url, fixed->url.size) == 0;
}

static void answer(struct instance* self, uint64_t request, int code) {
  char text = (char)('0' - code);
  host->respond(self->number, request, 200, NULL, 0, &text, 1);
}

/* Goes on calling the host until the instance of that number is gone. */
static void* linger(void* number_in_heap) {
  uint64_t number = *(uint64_t*)number_in_heap;
  free(number_in_heap);
  while (host->log(number, VALOR_LOG_DEBUG, "x", 1) == VALOR_OK) {
    host->sleep(number, 0, 7);
    host->respond(number, 1000000, 200, NULL, 0, "no", 2);
  }
  return NULL;
}

static void start(void* state, uint64_t request, const void* head, size_t head_size) {
  struct instance* self = state;
  const uint64_t other = self->number + ((uint64_t)1 << 32);
  (void)head_size;
  if (is(head, "twice")) {
    host->respond(self->number, request, 200, NULL, 0, "one", 3);
    if (host->respond(self->number, request, 200, NULL, 0, "two", 3) != VALOR_GONE) abort();
  } else if (is(head, "order")) {
    /* Body before head, end before head. */
    int wrong = host->send_body(self->number, request, "x", 1, 1) != VALOR_INVALID ||
                host->send_end(self->number, request) != VALOR_INVALID;
    answer(self, request, -wrong);
  } else if (is(head, "head-twice")) {
    host->send_head(self->number, request, 200, NULL, 0, VALOR_LENGTH_UNKNOWN);
    if (host->send_head(self->number, request, 200, NULL, 0, 5) != VALOR_INVALID ||
        host->respond(self->number, request, 200, NULL, 0, "x", 1) != VALOR_INVALID)
      abort();
    host->send_body(self->number, request, "fine", 4, 1);
    host->send_end(self->number, request);
  } else if (is(head, "torn-headers")) {
    if (host->respond(self->number, request, 200, "\x05\0\0\0\x05\0\0\0ab", 10, NULL, 0) != VALOR_INVALID) abort();
  } else if (is(head, "huge-headers")) {
    if (host->respond(self->number, request, 200, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, NULL, 0) != VALOR_INVALID)
      abort();
  } else if (is(head, "no-instance")) {
    answer(self, request, host->respond(other, request, 200, NULL, 0, NULL, 0));
  } else if (is(head, "no-instance-far")) {
    answer(self, request, host->respond(UINT64_MAX, request, 200, NULL, 0, NULL, 0));
  } else if (is(head, "no-request")) {
    answer(self, request, host->respond(self->number, request + 1, 200, NULL, 0, NULL, 0));
  } else if (is(head, "created-again")) {
    answer(self, request, host->create_done(self->number));
  } else if (is(head, "cancel-unknown")) {
    answer(self, request, host->cancel(self->number, 12345));
  } else if (is(head, "cancel")) {
    host->sleep(self->number, 1, 99);
    int wrong = host->cancel(self->number, 99) != VALOR_OK || host->cancel(self->number, 99) != VALOR_INVALID;
    answer(self, request, -wrong);
  } else if (is(head, "small-reads")) {
    char text[64];
    size_t size = 0;
    int32_t got;
    while ((got = host->body_read(self->number, request, text + size, 3, 5)) > 0) size += (size_t)got;
    if (got == 0) host->respond(self->number, request, 200, NULL, 0, text, size);
  } else if (is(head, "read-twice-at-once")) {
    int wrong = host->body_read(self->number, request, self->buffer, 4, 5) != VALOR_WAIT ||
                host->body_read(self->number, request, self->buffer, 4, 6) != VALOR_INVALID ||
                host->body_read(self->number, request, self->buffer, 0, 6) != VALOR_INVALID;
    answer(self, request, -wrong);
  } else if (is(head, "wait-for-drop")) {
    self->waiting = request;
    host->body_read(self->number, request, self->buffer, 4, 5);
  } else if (is(head, "linger")) {
    uint64_t* number = malloc(sizeof *number);
    pthread_t thread;
    *number = self->number;
    pthread_create(&thread, NULL, linger, number);
    pthread_detach(thread);
    answer(self, request, 0);
  } else {
    host->respond(self->number, request, 404, NULL, 0, NULL, 0);
  }
}

static void complete(void* state, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  struct instance* self = state;
  (void)data;
  (void)data_size;
  if (operation == 5 && status == VALOR_GONE) host->log(self->number, VALOR_LOG_INFO, "operation 5 is gone", 19);
}

static void drop(void* state, uint64_t request, uint32_t reason) {
  struct instance* self = state;
  if (request != self->waiting) return;
  if (reason == VALOR_DROP_TIMEOUT)
    host->log(self->number, VALOR_LOG_INFO, "dropped: timeout", 16);
  else
    host->log(self->number, VALOR_LOG_INFO, "dropped: client gone", 20);
}

static void destroy(void* state) {
  free(state);
}

const valor_guest* valor_plugin_v1(const valor_host* its_host) {
  static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
  host = its_host;
  return &guest;
}
