/* Gives up in every way, and counts what is still called of an instance that has. All instances share the counters, so
 * that one can tell of another. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valor.h>

static int calls_after_abort; /* of any function of an instance that has given up */
static char codes[16];        /* what the host answered, from '0' for 0 to '9' for -9 */
static int code_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

struct instance {
  uint64_t number;
  int over;
  struct instance* next; /* of those that have given up */
};

/* Nobody destroys them, as the ABI has it. Here a leak checker finds them. */
static struct instance* given_up;

static void note(int32_t code) {
  pthread_mutex_lock(&mutex);
  if (code_count < 15) codes[code_count++] = (char)('0' - code);
  pthread_mutex_unlock(&mutex);
}

static void look(struct instance* self) {
  pthread_mutex_lock(&mutex);
  calls_after_abort += self->over;
  pthread_mutex_unlock(&mutex);
}

static void give_up(struct instance* self, uint64_t request) {
  char text[8];
  pthread_mutex_lock(&mutex);
  self->over = 1;
  self->next = given_up;
  given_up = self;
  pthread_mutex_unlock(&mutex);
  note(valor_api->abort(self->number, "it is over", 10));
  note(valor_api->abort(self->number, "again", 5));
  note(valor_api->respond(self->number, request, 200, NULL, 0, NULL, 0));
  note(valor_api->config(self->number, text, sizeof text));
  note(valor_api->log(self->number, VALOR_LOG_ERROR, "unheard", 7));
  note(valor_api->sleep(self->number, 0, 1));
  note((int32_t)valor_api->fetch(self->number, 0, "GET", 3, "x", 1, NULL, 0, 0, 0, 2));
  note(valor_api->state_set(self->number, "k", 1, "v", 1));
}

static void* give_up_elsewhere(void* self) {
  usleep(20000);
  give_up(self, 1);
  return NULL;
}

static void* create(uint64_t number) {
  struct instance* self = calloc(1, sizeof *self);
  char text[16];
  self->number = number;
  if (valor_api->config(number, text, sizeof text) == 7 && memcmp(text, "\"abort\"", 7) == 0) give_up(self, 1);
  valor_api->create_done(number);
  return self;
}

static void start(void* state, uint64_t request, const void* block, size_t size) {
  struct instance* self = state;
  const valor_request_head* head = block;
  const char* url = (const char*)block + head->url.offset;
  (void)size;
  look(self);
  if (head->url.size == 5 && memcmp(url, "abort", 5) == 0) {
    valor_api->sleep(self->number, 0, 7);
    give_up(self, request);
  } else if (head->url.size == 9 && memcmp(url, "elsewhere", 9) == 0) {
    pthread_t thread;
    valor_api->sleep(self->number, 3600000, 7);
    pthread_create(&thread, NULL, give_up_elsewhere, self);
    pthread_detach(thread);
  } else if (head->url.size == 7 && memcmp(url, "for-log", 7) == 0) {
    /* As long as anybody listens. */
    while (valor_api->log(self->number, VALOR_LOG_INFO, "and on", 6) == VALOR_OK) {
    }
    note(0);
  } else {
    char text[17];
    int count;
    pthread_mutex_lock(&mutex);
    text[0] = (char)('0' + calls_after_abort);
    memcpy(text + 1, codes, sizeof codes);
    count = 1 + code_count;
    code_count = 0;
    pthread_mutex_unlock(&mutex);
    valor_api->respond(self->number, request, 200, NULL, 0, text, (size_t)count);
  }
}

static void complete(void* state, uint64_t operation, int32_t status, const void* data, size_t size) {
  (void)operation, (void)status, (void)data, (void)size;
  look(state);
}

static void drop(void* state, uint64_t request, uint32_t reason) {
  (void)request, (void)reason;
  look(state);
}

static void destroy(void* state) {
  look(state);
  free(state);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
