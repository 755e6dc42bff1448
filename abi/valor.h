/* The plug-in ABI of Valor, version 1: what a plug-in (the guest) and the runtime (the host) call of each other.
 *
 * A plug-in is a native shared library or a WASM module, and one source can be compiled to both. Either runs as any
 * number of instances; every instance has a thread of its own, and everything about it hangs on the `instance` number
 * and the `self` pointer that are passed in each call. Plug-ins in C++, Rust and AssemblyScript use the SDKs (sdk/),
 * which hide all of this; in C this header is all there is (VALOR_PLUGIN below). docs/abi.md tells the same with
 * examples.
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
 * Growth. Both tables and the heads start with a size. New members are added at the end, so a member is there when it
 * lies within that size. A change that old plug-ins cannot live with gets a new version number.
 *
 * Native. The library exports one symbol, valor_plugin_v1. Valor calls it with the table of the host's functions and
 * gets the table of the guest's functions back.
 *
 * WASM. The functions of the host are imports from the module "valor", named as in the table; those of the guest are
 * exports, named as in the table with "valor_" before. uint64_t is i64, all else i32. Besides them the module exports
 *
 *     memory                               what pointers point into
 *     valor_abi() -> i32                   the ABI version that the guest needs
 *     valor_alloc(size: i32) -> i32        memory for what the host passes, aligned to 8 bytes
 *     valor_free(pointer: i32, size: i32)  gives it back
 *     _initialize()                        if there is one, it is called before all others
 *
 * and imports nothing else. The host keeps what valor_alloc() gave for later calls and asks again when it needs more.
 * A trap ends the instance. */
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
#define VALOR_FAILED (-5)      /* the fetch got no response */
#define VALOR_ABSENT (-6)      /* there is no such key */

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

/* fetch(): its flags. */
#define VALOR_FETCH_BODY 1u   /* a body follows */
#define VALOR_FETCH_MANUAL 2u /* a redirect is a response like any other */

/* state_set(): the most bytes of one key, and of all keys and values together. */
#define VALOR_STATE_KEY_BYTES 256u
#define VALOR_STATE_BYTES 16777216u

/* A piece of a head: `size` bytes, `offset` bytes after the start of the head. */
typedef struct valor_span {
  uint32_t offset;
  uint32_t size;
} valor_span;

/* A header in a head. */
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

#define VALOR_RESPONSE_HAS_LENGTH 1u /* body_length is what the other side declared */
#define VALOR_RESPONSE_REDIRECTED 2u /* it comes from another URL than was asked */

/* The head of the response to a fetch, as complete() gets it; in the manner of valor_request_head. */
typedef struct valor_response_head {
  uint32_t size;        /* of this struct in the host's version of it */
  uint32_t flags;       /* VALOR_RESPONSE_... */
  uint64_t body_length; /* bytes, as declared: before decoding; 0 without VALOR_RESPONSE_HAS_LENGTH */
  uint32_t status;      /* 200 to 599 */
  valor_span url;       /* where it came from, after redirects */
  uint32_t headers;     /* offset of an array of valor_header, aligned to 4 bytes */
  uint32_t header_count;
  uint32_t reserved; /* 0 */
} valor_response_head;

/* Headers towards the host are passed as one block of pairs, one after the other, not aligned, each
 *     u32 size of the name, u32 size of the value, the name, the value
 * Order and repetitions are kept. A name must be a token and a value free of NUL, CR, LF and of blanks at its ends (RFC
 * 9110 section 5). content-length, transfer-encoding and connection are set by the host: the guest's are ignored, as
 * are an answer's x-correlation-id and x-valor-plugin. */

/* What the host offers: abi, size, and the functions that valor-host.inc lists and describes. Every function may be
 * called from any thread. */
typedef struct valor_host {
  uint32_t abi;  /* VALOR_ABI_VERSION of the host */
  uint32_t size; /* of this struct in the host's version of it */
#define VALOR_FUNCTION(result, name, parameters) result(*name) parameters;
#include "valor-host.inc"
#undef VALOR_FUNCTION
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

  /* An operation is complete. `status` is VALOR_OK, VALOR_GONE when its request or fetch has ended, or for a fetch
   * VALOR_FAILED. `data` is what the function says that was waited for, NULL and 0 where it says nothing; it is valid
   * until complete() returns and aligned to 8 bytes. */
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

#if defined(__wasm__)

/* The imports, valor_import_respond() and so on, and a table of them: calls through it become direct calls. */
#define VALOR_FUNCTION(result, name, parameters) \
  __attribute__((import_module("valor"), import_name(#name))) extern result valor_import_##name parameters;
#include "valor-host.inc"
#undef VALOR_FUNCTION
__attribute__((unused)) static const valor_host valor_imports = {
    VALOR_ABI_VERSION,
    sizeof(valor_host),
#define VALOR_FUNCTION(result, name, parameters) valor_import_##name,
#include "valor-host.inc"
#undef VALOR_FUNCTION
};

#else

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const valor_guest*
valor_plugin_v1(const valor_host* host);

#endif

/* For plug-ins in C. VALOR_PLUGIN(guest) makes a plug-in of a valor_guest, on both targets: once, at file scope,
 * without a semicolon. Its code calls the host as valor_api->respond(...). In WASM it needs malloc() and free(). */
#if defined(__wasm__)
#define valor_api (&valor_imports)
#define VALOR_EXPORT(name) __attribute__((export_name(#name)))
#define VALOR_PLUGIN(guest)                                                                                        \
  /* For calls that no function of the guest makes, such as those of a C library's printf. */                      \
  __attribute__((weak)) uint64_t valor_wasm_instance;                                                              \
  VALOR_EXPORT(valor_abi) uint32_t valor_export_abi(void) {                                                        \
    return (guest).abi;                                                                                            \
  }                                                                                                                \
  VALOR_EXPORT(valor_alloc) void* valor_export_alloc(size_t size) {                                                \
    return __builtin_malloc(size);                                                                                 \
  }                                                                                                                \
  VALOR_EXPORT(valor_free) void valor_export_free(void* pointer, size_t size) {                                    \
    (void)size;                                                                                                    \
    __builtin_free(pointer);                                                                                       \
  }                                                                                                                \
  VALOR_EXPORT(valor_create) void* valor_export_create(uint64_t instance) {                                        \
    valor_wasm_instance = instance;                                                                                \
    return (guest).create(instance);                                                                               \
  }                                                                                                                \
  VALOR_EXPORT(valor_start)                                                                                        \
  void valor_export_start(void* self, uint64_t request, const void* head, size_t head_size) {                      \
    (guest).start(self, request, head, head_size);                                                                 \
  }                                                                                                                \
  VALOR_EXPORT(valor_complete)                                                                                     \
  void valor_export_complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) { \
    (guest).complete(self, operation, status, data, data_size);                                                    \
  }                                                                                                                \
  VALOR_EXPORT(valor_drop) void valor_export_drop(void* self, uint64_t request, uint32_t reason) {                 \
    (guest).drop(self, request, reason);                                                                           \
  }                                                                                                                \
  VALOR_EXPORT(valor_destroy) void valor_export_destroy(void* self) {                                              \
    (guest).destroy(self);                                                                                         \
  }
#elif defined(__GNUC__)
extern __attribute__((visibility("hidden"))) const valor_host* valor_api;
#define VALOR_PLUGIN(guest)                                    \
  const valor_host* valor_api;                                 \
  const valor_guest* valor_plugin_v1(const valor_host* host) { \
    if (host->size < sizeof(valor_host)) return NULL;          \
    valor_api = host;                                          \
    return &(guest);                                           \
  }
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* VALOR_H */
