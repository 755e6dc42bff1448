// Parts of a response, out of JavaScript values into plain data. None of it runs plug-in code.
#pragma once

#include <v8.h>

#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::plugins::js {

/// Reads a status into `out`; undefined means 200. Returns what is wrong with it, or "".
std::string read_status(v8::Isolate* isolate, v8::Local<v8::Value> status, uint16_t& out);

/// The bytes of a string (as UTF-8), ArrayBuffer or view; none for anything else. The view is valid until the buffer
/// changes or, for a string, `text` does.
std::string_view read_body(v8::Isolate* isolate, v8::Local<v8::Value> body, std::string& text);

/// Copies a string whose characters are all below 256, one byte each. Returns false for others.
bool read_latin1(v8::Isolate* isolate, v8::Local<v8::String> string, std::string& text);

/// Reads a status and headers ("name\0value\0name\0value\0...", `count` pairs) into `head`. An x-correlation-id goes
/// into `correlation_id` instead. Returns what is wrong, or "". `text` is memory to work in.
std::string read_head(v8::Isolate* isolate, v8::Local<v8::Value> status, uint32_t count, v8::Local<v8::String> headers,
                      std::string& text, core::ResponseHead& head, std::string& correlation_id);

/// Gives the memory back that one unusually large response has left in a buffer.
inline void trim_buffer(std::string& text) {
  constexpr size_t kKept = 256 * 1024;
  if (text.capacity() > kKept) std::string().swap(text);
}

}  // namespace valor::plugins::js
