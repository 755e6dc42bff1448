/* What wasm-bindgen makes of
 *
 *     #[wasm_bindgen] pub fn greet(name: &str) -> String
 *     #[wasm_bindgen] pub fn describe(value: &JsValue) -> Result<String, JsValue>
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("wbg"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("__wbg_log") void wbg_log(const char* text, size_t size);
/* String(value), into memory that __wbindgen_malloc() gives: [pointer, size] at `result`. */
IMPORT("__wbg_String") void wbg_string(uint32_t* result, uint32_t object);
IMPORT("__wbindgen_string_new") uint32_t wbindgen_string_new(const char* text, size_t size);
IMPORT("__wbindgen_object_drop_ref") void wbindgen_object_drop_ref(uint32_t object);
IMPORT("__wbindgen_throw") void wbindgen_throw(const char* text, size_t size);

EXPORT("__wbindgen_malloc") void* wbindgen_malloc(size_t size, size_t alignment) {
  return alignment <= 8 ? malloc(size) : NULL;
}
EXPORT("__wbindgen_realloc") void* wbindgen_realloc(void* pointer, size_t old_size, size_t size, size_t alignment) {
  return old_size > 0 && alignment > 0 ? realloc(pointer, size) : NULL;
}
EXPORT("__wbindgen_free") void wbindgen_free(void* pointer, size_t size, size_t alignment) {
  if (size > 0 && alignment > 0) free(pointer);
}

static uint32_t results[4];
EXPORT("__wbindgen_add_to_stack_pointer") uint32_t* add_to_stack_pointer(int32_t by) {
  return by < 0 ? results : NULL;
}

/* The text goes to the caller, who frees it. */
static void give(uint32_t* result, const char* before, const char* text, size_t size) {
  const size_t before_size = strlen(before);
  char* all = malloc(before_size + size);
  memcpy(all, before, before_size);
  memcpy(all + before_size, text, size);
  result[0] = (uint32_t)(uintptr_t)all;
  result[1] = (uint32_t)(before_size + size);
}

EXPORT("greet") void greet(uint32_t* result, char* name, size_t size) {
  if (size == 0) wbindgen_throw("nobody to greet", 15);
  wbg_log(name, size);
  give(result, "Hello, ", name, size);
  free(name);
}

/* A borrowed object: the glue takes it back. */
EXPORT("describe") void describe(uint32_t* result, uint32_t object) {
  uint32_t text[2];
  wbg_string(text, object);
  char* content = (char*)(uintptr_t)text[0];
  if (text[1] == 0) {
    result[2] = wbindgen_string_new("it says nothing", 15);
    result[3] = 1;
  } else {
    give(result, "It is ", content, text[1]);
    result[2] = result[3] = 0;
  }
  free(content);
}
