/* Passes a request on and its response back, piece by piece, by the functions of the ABI alone. What is to be fetched
 * stands in headers: x-to (URL), x-flags, x-length, x-send-NAME (headers of the fetch); the method is the request's
 * own. The answer has the status and body of the response; x-from, x-flags, x-length and x-got-NAME say the rest. Works
 * on both targets. */
#include <stdlib.h>
#include <string.h>
#include <valor.h>

enum { PIECE = 32768 };
/* What an operation is for: the address of its job, plus one of these. */
enum { HEAD, READ_REQUEST, SENT, READ_RESPONSE, ANSWERED, SLEPT };

struct job {
  uint64_t instance, request, fetch;
  const char* mode; /* the request's url up to a '?' */
  uint32_t started, ended;
  uint64_t count;
  char buffer[PIECE];
};

static const char* const modes[] = {
    "", "cancel-head", "cancel-after-head", "too-late", "count-later", "rude", "orphan", "flood", "status"};

static uint64_t operation(struct job* job, int what) {
  return (uint64_t)(uintptr_t)job + (uint64_t)what;
}

static const char* text_of(const void* head, valor_span span) {
  return (const char*)head + span.offset;
}

static size_t number_text(char* text, uint64_t number) {
  char digits[20];
  size_t count = 0, i;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  for (i = 0; i < count; ++i) text[i] = digits[count - 1 - i];
  return count;
}

static char* add_header(char* at, const char* before, const char* name, size_t name_size, const char* value,
                        size_t value_size) {
  uint32_t sizes[2];
  sizes[0] = (uint32_t)(strlen(before) + name_size);
  sizes[1] = (uint32_t)value_size;
  memcpy(at, sizes, sizeof sizes);
  at += sizeof sizes;
  memcpy(at, before, strlen(before));
  at += strlen(before);
  memcpy(at, name, name_size);
  at += name_size;
  memcpy(at, value, value_size);
  return at + value_size;
}

static void answer(struct job* job, uint32_t status, const void* text, size_t size) {
  valor_api->respond(job->instance, job->request, status, NULL, 0, text, size);
  job->ended = 1;
}

/* Results are at most 9 below 0. */
static void answer_codes(struct job* job, const int* codes, int count) {
  char text[16];
  int i;
  for (i = 0; i < count; ++i) text[i] = (char)('0' - codes[i]);
  answer(job, 200, text, (size_t)count);
}

static void upload(struct job* job) {
  int32_t size = 1, sent = VALOR_OK;
  while (size > 0 && sent == VALOR_OK) {
    size = valor_api->body_read(job->instance, job->request, job->buffer, PIECE, operation(job, READ_REQUEST));
    if (size > 0)
      sent = valor_api->send_body(job->instance, job->fetch, job->buffer, (size_t)size, operation(job, SENT));
  }
  if (size == 0) valor_api->send_end(job->instance, job->fetch);
}

static void download(struct job* job) {
  const int counts = strcmp(job->mode, "count-later") == 0;
  int32_t size = 1, sent = VALOR_OK;
  while (size > 0 && sent == VALOR_OK) {
    size = valor_api->body_read(job->instance, job->fetch, job->buffer, PIECE, operation(job, READ_RESPONSE));
    if (size > 0) job->count += (uint64_t)size;
    if (size > 0 && !counts)
      sent = valor_api->send_body(job->instance, job->request, job->buffer, (size_t)size, operation(job, ANSWERED));
  }
  if (size == 0 && counts)
    answer(job, 200, job->buffer, number_text(job->buffer, job->count));
  else if (size == 0)
    valor_api->send_end(job->instance, job->request);
  else if (size != VALOR_WAIT && sent != VALOR_WAIT)
    valor_api->fail(job->instance, job->request, "the response broke off", 22);
}

static void got_head(struct job* job, const void* block) {
  const valor_response_head* head = block;
  const valor_header* header = (const valor_header*)((const char*)block + head->headers);
  char number[20];
  char* at = job->buffer;
  int codes[3];
  uint32_t i;
  if (strcmp(job->mode, "cancel-after-head") == 0) {
    codes[0] = valor_api->fetch_cancel(job->instance, job->fetch);
    codes[1] = valor_api->fetch_cancel(job->instance, job->fetch);
    codes[2] = valor_api->body_read(job->instance, job->fetch, job->buffer, PIECE, operation(job, READ_RESPONSE));
    answer_codes(job, codes, 3);
    return;
  }
  if (strcmp(job->mode, "count-later") == 0) {
    valor_api->sleep(job->instance, 1000, operation(job, SLEPT));
    return;
  }
  if (strcmp(job->mode, "status") == 0) {
    valor_api->fetch_cancel(job->instance, job->fetch);
    answer(job, head->status, NULL, 0);
    return;
  }
  if (strcmp(job->mode, "orphan") == 0) {
    valor_api->log(job->instance, VALOR_LOG_INFO, "the orphan has its response", 27);
    valor_api->fetch_cancel(job->instance, job->fetch);
    return;
  }
  at = add_header(at, "", "x-from", 6, text_of(block, head->url), head->url.size);
  number[0] = (char)('0' + head->flags);
  at = add_header(at, "", "x-flags", 7, number, 1);
  at = add_header(at, "", "x-length", 8, number, number_text(number, head->body_length));
  for (i = 0; i < head->header_count; ++i, ++header)
    at = add_header(at, "x-got-", text_of(block, header->name), header->name.size, text_of(block, header->value),
                    header->value.size);
  valor_api->send_head(job->instance, job->request, head->status, job->buffer, (size_t)(at - job->buffer),
                       VALOR_LENGTH_UNKNOWN);
  download(job);
}

static void* create(uint64_t instance) {
  uint64_t* self = malloc(sizeof *self);
  *self = instance;
  valor_api->create_done(instance);
  return self;
}

static int has_prefix(const void* head, valor_span span, const char* prefix) {
  return span.size >= strlen(prefix) && memcmp(text_of(head, span), prefix, strlen(prefix)) == 0;
}

static uint64_t number_of(const void* head, valor_span span) {
  uint64_t number = 0;
  uint32_t i;
  for (i = 0; i < span.size; ++i) number = number * 10 + (uint64_t)(text_of(head, span)[i] - '0');
  return number;
}

static void start(void* self, uint64_t request, const void* block, size_t block_size) {
  const valor_request_head* head = block;
  const valor_header* header = (const valor_header*)((const char*)block + head->headers);
  struct job* job = calloc(1, sizeof *job);
  valor_span to = {0, 0};
  uint64_t length = VALOR_LENGTH_UNKNOWN, behalf = request;
  uint32_t flags = 0, i;
  char* at = job->buffer;
  int64_t fetch;
  (void)block_size;
  job->instance = *(uint64_t*)self;
  job->request = request;
  job->mode = modes[0];
  for (i = 1; i < sizeof modes / sizeof *modes; ++i)
    if (head->url.size == strlen(modes[i]) && has_prefix(block, head->url, modes[i])) job->mode = modes[i];
  for (i = 0; i < head->header_count; ++i, ++header) {
    if (has_prefix(block, header->name, "x-to")) to = header->value;
    if (has_prefix(block, header->name, "x-flags")) flags = (uint32_t)number_of(block, header->value);
    if (has_prefix(block, header->name, "x-length")) length = number_of(block, header->value);
    if (has_prefix(block, header->name, "x-send-"))
      at = add_header(at, "", text_of(block, header->name) + 7, header->name.size - 7, text_of(block, header->value),
                      header->value.size);
  }
  if (strcmp(job->mode, "too-late") == 0) answer(job, 200, "early", 5);
  if (strcmp(job->mode, "orphan") == 0) behalf = 0;
  fetch = valor_api->fetch(job->instance, behalf, text_of(block, head->method), head->method.size, text_of(block, to),
                           to.size, job->buffer, (size_t)(at - job->buffer), length, flags, operation(job, HEAD));
  if (fetch < 0) {
    if (strcmp(job->mode, "too-late") == 0 && fetch == VALOR_GONE)
      valor_api->log(job->instance, VALOR_LOG_INFO, "too late to fetch", 17);
    job->buffer[0] = (char)('0' - fetch);
    answer(job, 400, job->buffer, 1);
    return;
  }
  job->fetch = (uint64_t)fetch;
  if (strcmp(job->mode, "orphan") == 0) answer(job, 200, "gone ahead", 10);
  if (strcmp(job->mode, "cancel-head") == 0) {
    int codes[3];
    codes[0] = valor_api->cancel(job->instance, operation(job, HEAD));
    codes[1] = valor_api->cancel(job->instance, operation(job, HEAD));
    codes[2] = valor_api->fetch_cancel(job->instance, job->fetch);
    answer_codes(job, codes, 3);
  } else if (strcmp(job->mode, "rude") == 0) {
    int codes[6];
    codes[0] = valor_api->body_read(job->instance, job->fetch, job->buffer, PIECE, operation(job, READ_RESPONSE));
    codes[1] = valor_api->send_head(job->instance, job->fetch, 200, NULL, 0, 0);
    codes[2] = valor_api->send_body(job->instance, job->fetch, "x", 1, operation(job, SENT));
    codes[3] = valor_api->send_end(job->instance, job->fetch);
    codes[4] = valor_api->sleep(job->instance, 1, operation(job, HEAD));
    codes[5] = valor_api->fetch_cancel(job->instance, job->fetch + 1);
    answer_codes(job, codes, 6);
  } else if (strcmp(job->mode, "flood") == 0) {
    /* Never waits, and has a gibibyte to send. */
    char* piece = calloc(1, 1 << 20);
    for (i = 0; i < 1024 && valor_api->send_body(job->instance, job->fetch, piece, 1 << 20, operation(job, SENT)) >= -1;
         ++i)
      valor_api->cancel(job->instance, operation(job, SENT));
    free(piece);
    answer(job, 200, job->buffer, number_text(job->buffer, i));
  } else if ((flags & VALOR_FETCH_BODY) != 0) {
    upload(job);
  }
}

static void complete(void* self, uint64_t number, int32_t status, const void* data, size_t data_size) {
  struct job* job = (struct job*)(uintptr_t)(number & ~(uint64_t)15);
  (void)self;
  if (job->ended && strcmp(job->mode, "orphan") != 0) return;
  switch ((int)(number & 15)) {
    case HEAD:
      if (status == VALOR_OK) got_head(job, data);
      if (status == VALOR_FAILED) answer(job, 599, data, data_size);
      break;
    case READ_REQUEST:
    case SENT:
      if (status == VALOR_OK) upload(job);
      break;
    default:
      download(job);
  }
}

static void drop(void* self, uint64_t request, uint32_t reason) {
  (void)request;
  (void)reason;
  valor_api->log(*(uint64_t*)self, VALOR_LOG_INFO, "dropped", 7);
}

static void destroy(void* self) {
  free(self);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
