// Parts of a response, out of JavaScript values into plain data. None of it runs plug-in code.
#pragma once

#include <v8.h>

#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::plugins::js {

/// The bytes of a string (as UTF-8), ArrayBuffer or view; none for anything else. The view is valid until the buffer
/// changes or, for a string, `text` does.
std::string_view read_body(v8::Isolate* isolate, v8::Local<v8::Value> body, std::string& text);

/// Reads statuses and headers. One for each isolate; remembers the last headers, because most responses of a plug-in
/// carry the same ones, and header-text.ts then hands over the same string.
class HeadReader {
 public:
  explicit HeadReader(v8::Isolate* isolate) : isolate_(isolate) {}

  /// `headers` is text from header-text.ts; an undefined status means 200. Returns what is wrong with them, or "": then
  /// head() and correlation_id() hold what was read, until the next call.
  std::string read(v8::Local<v8::Value> status, v8::Local<v8::String> headers);

  const core::ResponseHead& head() const { return head_; }
  /// The value of x-correlation-id, which is not in head(). "" where there is none.
  const std::string& correlation_id() const { return correlation_id_; }

 private:
  std::string read_headers(v8::Local<v8::String> headers);
  std::string read_status(v8::Local<v8::Value> status);

  v8::Isolate* isolate_;
  core::ResponseHead head_;
  std::string correlation_id_;
  std::string text_;
  // What head_ and correlation_id_ were read from.
  v8::Global<v8::String> last_headers_;
  v8::Global<v8::Value> last_status_;
};

/// Gives the memory back that one unusually large response has left in a buffer.
inline void trim_buffer(std::string& text) {
  constexpr size_t kKept = 256 * 1024;
  if (text.capacity() > kKept) std::string().swap(text);
}

}  // namespace valor::plugins::js
