/* Each answer is a task; it waits for one thing at a time, and its address is the number of that operation. */
#include "plugin.h"

typedef struct Instance Instance;

typedef enum Step { kReading, kWriting, kSleeping } Step;

typedef struct Task {
  Instance* instance;
  struct Task* next; /* of all tasks of the instance */
  uint64_t request;
  Step step;
  bool waiting;    /* an operation of this number is in use */
  bool is_copy;    /* of the request's body */
  bool is_endless; /* no end of pieces */
  bool fails;      /* after the last piece */
  uint64_t pieces, made, wait;
  Buffer piece;
} Task;

struct Instance {
  uint64_t number;
  uint64_t gone;
  Task* tasks;
};

static void* create(uint64_t number) {
  Instance* self = calloc(1, sizeof *self);
  self->number = number;
  valor_api->create_done(number);
  return self;
}

static uint64_t operation_of(Task* task) {
  return (uint64_t)(uintptr_t)task;
}

static void end(Task* task) {
  Task** link = &task->instance->tasks;
  while (*link != task) link = &(*link)->next;
  *link = task->next;
  free(task->piece.data);
  free(task);
}

static void begin(const Task* task, View type) {
  Buffer headers = {0};
  append_header(&headers, view_of("content-type"), type);
  valor_api->send_head(task->instance->number, task->request, 200, headers.data, headers.size, VALOR_LENGTH_UNKNOWN);
  free(headers.data);
}

/* The next piece, into task->piece. Returns what body_read() returns; for letters 0 is the end too. */
static int32_t fill(Task* task) {
  if (task->is_copy) {
    const int32_t size = valor_api->body_read(task->instance->number, task->request, task->piece.data,
                                              task->piece.capacity, operation_of(task));
    task->piece.size = size > 0 ? (size_t)size : 0;
    return size;
  }
  if (!task->is_endless && task->made == task->pieces) return 0;
  memset(task->piece.data, task->is_endless ? 'e' : (int)('a' + task->made % 26), task->piece.size);
  task->made++;
  return 1;
}

/* Goes on from `step` until the task must wait or ends. */
static void go_on(Task* task, Step step) {
  const uint64_t instance = task->instance->number;
  for (;;) {
    task->step = step;
    int32_t result = VALOR_OK;
    if (step == kSleeping && task->wait > 0 && (task->is_endless || task->made < task->pieces)) {
      valor_api->sleep(instance, task->wait, operation_of(task));
      result = VALOR_WAIT;
    } else if (step == kReading) {
      result = fill(task);
      if (result == 0) {
        if (task->fails)
          valor_api->fail(instance, task->request, "asked to fail", 13);
        else
          valor_api->send_end(instance, task->request);
        end(task);
        return;
      }
    } else if (step == kWriting) {
      result = valor_api->send_body(instance, task->request, task->piece.data, task->piece.size, operation_of(task));
    }
    if (result < 0) {
      /* Where the request is gone, drop() follows. */
      task->waiting = result == VALOR_WAIT;
      return;
    }
    step = step == kSleeping ? kReading : step == kReading ? kWriting : kSleeping;
  }
}

static void start(void* pointer, uint64_t request, const void* block, size_t block_size) {
  (void)block_size;
  Instance* self = pointer;
  const valor_request_head* head = block;
  const View url = view_in(head, head->url);
  if (equals(path_of(url), "gone")) {
    Buffer text = {0};
    append_number(&text, self->gone);
    respond_text(self->number, request, 200, (View){text.data, text.size});
    free(text.data);
    return;
  }
  Task* task = calloc(1, sizeof *task);
  task->instance = self;
  task->next = self->tasks;
  self->tasks = task;
  task->request = request;
  task->is_copy = equals(view_in(head, head->method), "POST");
  task->is_endless = !task->is_copy && equals(path_of(url), "endless");
  View type = view_of(PLAIN_TEXT);
  if (task->is_copy) {
    reserve(&task->piece, 65536);
    type = find_header(head, head->headers, head->header_count, "content-type");
    if (type.data == NULL) type = view_of("application/octet-stream");
  } else {
    task->pieces = number_of(find_parameter(url, "pieces"));
    task->fails = number_of(find_parameter(url, "fail")) > 0;
    task->wait = task->is_endless ? 5 : number_of(find_parameter(url, "wait"));
    task->piece.size = task->is_endless ? 16384 : number_of(find_parameter(url, "size"));
    task->piece.data = malloc(task->piece.size);
  }
  begin(task, type);
  go_on(task, kSleeping);
}

static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {
  (void)self, (void)data, (void)data_size;
  Task* task = (Task*)(uintptr_t)operation;
  task->waiting = false;
  if (status == VALOR_GONE) return; /* drop() follows */
  /* Reading is tried again; the other two are done. */
  go_on(task, task->step == kSleeping || task->step == kReading ? kReading : kSleeping);
}

static void drop(void* pointer, uint64_t request, uint32_t reason) {
  Instance* self = pointer;
  if (reason == VALOR_DROP_CLIENT_GONE) self->gone++;
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
