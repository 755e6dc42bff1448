/* Each request that waits is a task with a state, and its address is the number of its operation. */
#include "plugin.h"

typedef struct Instance Instance;

typedef enum Step { kSleeping, kReadingRequest, kFetching, kReadingResponse } Step;

typedef struct Task {
  Instance* instance;
  struct Task* next; /* of all tasks of the instance */
  uint64_t request;
  uint64_t fetch;
  Step step;
  bool waiting; /* an operation of this number is in use */
  bool gone;    /* the request has ended */
  uint32_t status;
  char* head;     /* a copy of the request's */
  Buffer headers; /* of the answer */
  Buffer body;
} Task;

struct Instance {
  uint64_t number;
  Task* tasks;
};

static void* create(uint64_t number) {
  Instance* self = calloc(1, sizeof *self);
  self->number = number;
  valor_api->create_done(number);
  return self;
}

static void end(Task* task) {
  Task** link = &task->instance->tasks;
  while (*link != task) link = &(*link)->next;
  *link = task->next;
  free(task->head);
  free(task->headers.data);
  free(task->body.data);
  free(task);
}

static uint64_t operation_of(Task* task) {
  return (uint64_t)(uintptr_t)task;
}

static View url_of(const Task* task) {
  return view_in(task->head, ((const valor_request_head*)task->head)->url);
}

static void answer(Task* task) {
  valor_api->respond(task->instance->number, task->request, task->status, task->headers.data, task->headers.size,
                     task->body.data, task->body.size);
  end(task);
}

static void answer_that_fetch_failed(Task* task) {
  respond_text(task->instance->number, task->request, 599, view_of("fetch failed"));
  end(task);
}

static void answer_with_request(Task* task) {
  const valor_request_head* head = (const valor_request_head*)task->head;
  const valor_header* headers = (const void*)(task->head + head->headers);
  const View status = find_parameter(url_of(task), "status");
  task->status = status.data != NULL ? (uint32_t)number_of(status) : 200;
  append_header(&task->headers, view_of("x-method"), view_in(head, head->method));
  append_header(&task->headers, view_of("x-url"), url_of(task));
  for (uint32_t i = 0; i < head->header_count; i++) {
    const View name = view_in(head, headers[i].name);
    if (name.size >= 7 && memcmp(name.data, "x-case-", 7) == 0)
      append_header(&task->headers, name, view_in(head, headers[i].value));
  }
  const View type = find_header(head, head->headers, head->header_count, "content-type");
  if (type.data != NULL && task->body.size > 0) append_header(&task->headers, view_of("content-type"), type);
  answer(task);
}

/* Reads what has arrived, until the body waits or has ended. */
static void read_on(Task* task) {
  const size_t piece = 65536;
  const uint64_t exchange = task->step == kReadingResponse ? task->fetch : task->request;
  for (;;) {
    char* to = reserve(&task->body, piece);
    const int32_t size = valor_api->body_read(task->instance->number, exchange, to, piece, operation_of(task));
    if (size == VALOR_WAIT) {
      task->waiting = true;
      return;
    }
    if (size > 0) {
      task->body.size += (size_t)size;
    } else if (task->step == kReadingResponse) {
      size == 0 ? answer(task) : answer_that_fetch_failed(task);
      return;
    } else {
      /* Without a request there is nobody to answer. */
      size == 0 ? answer_with_request(task) : end(task);
      return;
    }
  }
}

static void go(Task* task) {
  const View parameter = find_parameter(url_of(task), "fetch");
  if (parameter.data == NULL) {
    task->step = kReadingRequest;
    read_on(task);
    return;
  }
  Buffer url = {0};
  append_decoded(&url, parameter);
  task->step = kFetching;
  const int64_t fetch = valor_api->fetch(task->instance->number, task->request, "GET", 3, url.data, url.size, NULL, 0,
                                         0, 0, operation_of(task));
  free(url.data);
  if (fetch < 0) {
    answer_that_fetch_failed(task);
    return;
  }
  task->fetch = (uint64_t)fetch;
  task->waiting = true;
}

static void start(void* pointer, uint64_t request, const void* head, size_t head_size) {
  Instance* self = pointer;
  const View url = view_in(head, ((const valor_request_head*)head)->url);
  if (find_parameter(url, "fail").data != NULL) {
    valor_api->fail(self->number, request, "asked to fail", 13);
    return;
  }
#if defined(__wasm__)
  if (find_parameter(url, "trap").data != NULL) __builtin_trap();
#endif
  Task* task = calloc(1, sizeof *task);
  task->instance = self;
  task->next = self->tasks;
  self->tasks = task;
  task->request = request;
  task->status = 200;
  if (find_parameter(url, "bad-header").data != NULL) {
    append_header(&task->headers, view_of("x-bad"), view_of("two\nlines"));
    answer(task);
    return;
  }
  const View block = find_parameter(url, "block");
  if (block.data != NULL) {
    const uint64_t end_at = valor_api->now(VALOR_CLOCK_MONOTONIC) + number_of(block) * 1000;
    while (valor_api->now(VALOR_CLOCK_MONOTONIC) < end_at) continue;
  }
  task->head = malloc(head_size);
  memcpy(task->head, head, head_size);
  const View wait = find_parameter(url, "wait");
  if (wait.data == NULL) {
    go(task);
    return;
  }
  task->step = kSleeping;
  task->waiting = true;
  valor_api->sleep(self->number, number_of(wait), operation_of(task));
}

static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  (void)self, (void)data_size;
  Task* task = (Task*)(uintptr_t)operation;
  task->waiting = false;
  if (task->step == kSleeping) {
    go(task);
  } else if (status == VALOR_GONE && task->step != kReadingResponse) {
    /* drop() follows. */
  } else if (task->step != kFetching) {
    read_on(task);
  } else if (status != VALOR_OK) {
    answer_that_fetch_failed(task);
  } else {
    const valor_response_head* head = data;
    const View type = find_header(head, head->headers, head->header_count, "content-type");
    if (type.data != NULL) append_header(&task->headers, view_of("content-type"), type);
    task->status = head->status;
    task->step = kReadingResponse;
    read_on(task);
  }
}

static void drop(void* pointer, uint64_t request, uint32_t reason) {
  (void)reason;
  Instance* self = pointer;
  for (Task* task = self->tasks; task != NULL; task = task->next) {
    if (task->request != request) continue;
    if (task->waiting) valor_api->cancel(self->number, operation_of(task));
    end(task);
    return;
  }
}

static void destroy(void* pointer) {
  Instance* self = pointer;
  while (self->tasks != NULL) end(self->tasks);
  free(self);
}

static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
VALOR_PLUGIN(guest)
