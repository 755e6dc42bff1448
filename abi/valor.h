/* The plug-in ABI of Valor, version 1: what a plug-in (the guest) and the runtime (the host) call of each other.
 *
 * A native plug-in is a shared library that exports one symbol, valor_plugin_v1. Valor calls it with the table of the
 * host's functions and gets the table of the guest's functions back. One library can run as several instances; every
 * instance has a thread of its own, and everything about it hangs on the `instance` number and the `self` pointer that
 * are passed in each call. Plug-ins in C++ use the SDK (sdk/cpp), which hides all of this.
 *
 * Waiting. No host function waits. Where something is not there yet, the function returns VALOR_WAIT and the host calls
 * the guest's complete() later with the operation number that the guest passed. It never does so inside a call that the
 * guest makes. The guest chooses operation numbers (a pointer will do); a number is in use from the VALOR_WAIT (for
 * sleep: the VALOR_OK) until its complete() begins or cancel() returns VALOR_OK, and only one use at a time is allowed
 * within an instance.
 *
 * Threads. Guest functions that take `self`, and create, are called on the thread of the instance only, one at a time,
 * never one inside another. Host functions may be called from any thread at any time, also after the instance is gone:
 * they then return VALOR_NO_INSTANCE. They are not to be called from a signal handler.
 *
 * Memory. Whoever passes a pointer keeps owning what it points to, and it is valid until that call returns; the other
 * side copies what it needs later. A pointer may be NULL where its size is 0. Text is UTF-8 without a terminating NUL,
 * header values are bytes. Numbers in memory have the byte order of the machine; WASM is little-endian.
 *
 * Errors. Guest functions must return normally: an exception that leaves one ends the instance. abort(), a segmentation
 * fault and the like end the process, since all instances share it.
 *
 * Growth. Both tables and the request head start with a size. New members are added at the end, so a member is there
 * when it lies within that size. A change that old plug-ins cannot live with gets a new version number.
 *
 * WASM. The same list, with u32 for pointers and sizes, u64 for numbers: host functions are imports from the module
 * "valor" and guest functions exports named valor_create, valor_start, ...; `instance` is passed there too. */
#ifndef VALOR_H
#define VALOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VALOR_ABI_VERSION 1u

/* Results of host functions. Everything below VALOR_WAIT is an error; nothing has happened then unless said so. */
#define VALOR_OK 0
#define VALOR_WAIT (-1)        /* not now: the operation completes later */
#define VALOR_GONE (-2)        /* the request has ended (answered, client left, timed out), or its body broke off */
#define VALOR_INVALID (-3)     /* an argument breaks a rule; the host has logged which */
#define VALOR_NO_INSTANCE (-4) /* the instance has ended, or there never was one of this number */

/* Levels of log(). */
#define VALOR_LOG_DEBUG 0u
#define VALOR_LOG_INFO 1u
#define VALOR_LOG_WARN 2u
#define VALOR_LOG_ERROR 3u

/* Reasons of drop(). */
#define VALOR_DROP_CLIENT_GONE 0u /* the client closed the connection */
#define VALOR_DROP_TIMEOUT 1u     /* limits.timeout_ms passed; the client got 504 */

/* Clocks of now(). */
#define VALOR_CLOCK_UNIX 0u      /* microseconds since 1970-01-01T00:00:00Z */
#define VALOR_CLOCK_MONOTONIC 1u /* microseconds since some moment; never goes back */

/* send_head(): the length of the body is not known in advance. */
#define VALOR_LENGTH_UNKNOWN UINT64_MAX

/* A piece of a request head: `size` bytes, `offset` bytes after the start of the head. */
typedef struct valor_span {
  uint32_t offset;
  uint32_t size;
} valor_span;

/* A header in a request head. */
typedef struct valor_header {
  valor_span name;  /* lower case */
  valor_span value; /* no blanks at the ends; bytes, usually ASCII */
} valor_header;

#define VALOR_REQUEST_HAS_BODY 1u   /* a body follows, maybe an empty one */
#define VALOR_REQUEST_HAS_LENGTH 2u /* body_length is what the client declared */

/* The head of a request, as start() gets it: this struct, and behind it all that its spans point to, in one block
 * without pointers, aligned to 8 bytes. It can be copied as a whole with memcpy. */
typedef struct valor_request_head {
  uint32_t size;        /* of this struct in the host's version of it */
  uint32_t flags;       /* VALOR_REQUEST_... */
  uint64_t body_length; /* bytes; 0 without VALOR_REQUEST_HAS_LENGTH */
  valor_span method;    /* as sent: methods are case-sensitive */
  valor_span url;       /* relative to the mount: no leading slash, with the query; empty for the mount itself */
  valor_span id;        /* x-request-id; also among the headers */
  uint32_t headers;     /* offset of an array of valor_header, aligned to 4 bytes */
  uint32_t header_count;
} valor_request_head;

/* Response headers are passed as one block of pairs, one after the other, not aligned, each
 *     u32 size of the name, u32 size of the value, the name, the value
 * Order and repetitions are kept. A name must be a token and a value free of NUL, CR, LF and of blanks at its ends (RFC
 * 9110 section 5). content-length, transfer-encoding and connection are set by the host: the guest's are ignored, as
 * are its x-correlation-id and x-valor-plugin. */

/* What the host offers. Every function may be called from any thread. */
typedef struct valor_host {
  uint32_t abi;  /* VALOR_ABI_VERSION of the host */
  uint32_t size; /* of this struct in the host's version of it */

  /* --- the instance --- */

  /* The instance is ready for requests. Called once: in create() or later. */
  int32_t (*create_done)(uint64_t instance);

  /* The instance cannot be created. `message` is a sentence for the operator: what is wrong and how to fix it. Called
   * at most once and not after create_done(): then VALOR_INVALID. destroy() follows. */
  int32_t (*create_fail)(uint64_t instance, const char* message, size_t message_size);

  /* The plug-in's "config" as JSON text ("null" where the operator gave none). Copies at most `capacity` bytes of it
   * and returns its full size in bytes, or VALOR_NO_INSTANCE. */
  int32_t (*config)(uint64_t instance, char* buffer, size_t capacity);

  /* The plug-in's name; in the manner of config(). */
  int32_t (*name)(uint64_t instance, char* buffer, size_t capacity);

  /* The public URL of the mount, ending in a slash; in the manner of config(). location + the request's url is the URL
   * that the client asked for. */
  int32_t (*location)(uint64_t instance, char* buffer, size_t capacity);

  /* Writes a line to Valor's log in the plug-in's name. Never waits. */
  int32_t (*log)(uint64_t instance, uint32_t level, const char* message, size_t message_size);

  /* --- the answer to a request --- */

  /* Answers with a whole body and ends the request. `status` is 200 to 599. On VALOR_INVALID (status, headers) the
   * request has ended too: the client got 502. VALOR_INVALID, and nothing more, when the answer has begun already. */
  int32_t (*respond)(uint64_t instance, uint64_t request, uint32_t status, const void* headers, size_t headers_size,
                     const void* body, size_t body_size);

  /* Begins an answer whose body follows by send_body(). `length` is its size in bytes, or VALOR_LENGTH_UNKNOWN; sending
   * more or less than announced breaks the connection. Errors as of respond(). From here on no timeout applies. */
  int32_t (*send_head)(uint64_t instance, uint64_t request, uint32_t status, const void* headers, size_t headers_size,
                       uint64_t length);

  /* Sends the next bytes of the body. They are always taken. VALOR_OK: more can be sent at once. VALOR_WAIT: the client
   * is slower than the plug-in, and the operation completes when more should be sent. VALOR_INVALID: no send_head(), or
   * an earlier operation of this kind is not complete yet (the bytes are not taken then). */
  int32_t (*send_body)(uint64_t instance, uint64_t request, const void* data, size_t data_size, uint64_t operation);

  /* Ends an answer that send_head() has begun, and the request. VALOR_INVALID: no send_head(). */
  int32_t (*send_end)(uint64_t instance, uint64_t request);

  /* The plug-in failed: the client gets 500, or sees its connection break when the answer has begun. `message` goes to
   * the log, not to the client. Ends the request. */
  int32_t (*fail)(uint64_t instance, uint64_t request, const char* message, size_t message_size);

  /* --- the body of a request --- */

  /* Copies the next bytes of the body, at most `capacity` (more than 0), to `buffer`. Returns how many; 0: the body has
   * ended. VALOR_WAIT: none there yet, and the operation completes when it is worth calling again; `buffer` is not used
   * meanwhile. VALOR_GONE: the client broke off, or the request has ended. VALOR_INVALID: capacity 0, or an earlier
   * operation of this kind is not complete yet. Reading slowly slows the client down. */
  int32_t (*body_read)(uint64_t instance, uint64_t request, void* buffer, size_t capacity, uint64_t operation);

  /* --- time, chance, cancellation --- */

  /* Completes the operation at least `milliseconds` from now. 0 means as soon as possible, which is the way to come
   * back to the instance's thread from another one. */
  int32_t (*sleep)(uint64_t instance, uint64_t milliseconds, uint64_t operation);

  /* Forgets an operation: complete() is not called for it. VALOR_INVALID when there is none of this number, or
   * complete() has begun. Only on the instance's thread can one know which of the two holds. */
  int32_t (*cancel)(uint64_t instance, uint64_t operation);

  /* The time of a clock (VALOR_CLOCK_...); 0 for an unknown clock. */
  uint64_t (*now)(uint32_t clock);

  /* Fills `buffer` with random bytes fit for secrets. VALOR_INVALID when the system has none. */
  int32_t (*random)(void* buffer, size_t size);
} valor_host;

/* What the guest offers. */
typedef struct valor_guest {
  uint32_t abi;  /* the ABI version that the guest needs */
  uint32_t size; /* of this struct in the guest's version of it */

  /* Creates an instance: ends, now or later, in create_done() or create_fail(). The returned pointer, which may be
   * NULL, is passed as `self` from then on. */
  void* (*create)(uint64_t instance);

  /* A request, after create_done(). Answer it now or later by its number, which is never 0 and never used again within
   * the instance. `head` is a valor_request_head; it is valid until start() returns, `head_size` is that of the whole
   * block. */
  void (*start)(void* self, uint64_t request, const void* head, size_t head_size);

  /* An operation is complete. `status` is VALOR_OK, or VALOR_GONE when its request has ended. `data` is for operations
   * of later versions: NULL and 0 for all of version 1. */
  void (*complete)(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size);

  /* The request ended without the guest's doing (VALOR_DROP_...). Its operations have been completed before. */
  void (*drop)(void* self, uint64_t request, uint32_t reason);

  /* The last call for this instance: frees what create() made. Operations that still wait are not completed any more.
   * Threads of the plug-in that use the instance afterwards get VALOR_NO_INSTANCE. */
  void (*destroy)(void* self);
} valor_guest;

/* The one symbol of a native plug-in. Both tables live as long as the process. Called once for a loaded library, before
 * any instance exists, on some instance's thread. NULL: the guest does not want to run with this host. */
#define VALOR_ENTRY_SYMBOL "valor_plugin_v1"
typedef const valor_guest* (*valor_entry)(const valor_host* host);
#if defined(__GNUC__) && !defined(__wasm__)
__attribute__((visibility("default")))
#endif
const valor_guest*
valor_plugin_v1(const valor_host* host);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* VALOR_H */
