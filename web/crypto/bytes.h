// Bytes on their way between JavaScript and OpenSSL: arguments are read where they lie, results are written straight
// into the ArrayBuffer that the plug-in gets. A native that fails returns undefined; the TypeScript knows which
// DOMException that means.
#pragma once

#include <v8.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace valor::web::crypto {

using Info = v8::FunctionCallbackInfo<v8::Value>;

/// The bytes of an ArrayBuffer or view; empty for everything else. Valid until JavaScript runs again.
class ByteRange {
 public:
  explicit ByteRange(v8::Local<v8::Value> value);
  ByteRange(const ByteRange&) = delete;
  ByteRange& operator=(const ByteRange&) = delete;

  /// Never nullptr, because OpenSSL takes that for "not given".
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  uint8_t scratch_[64];  // small typed arrays keep their bytes on the JavaScript heap, where they move
  const uint8_t* data_ = scratch_;
  size_t size_ = 0;
};

/// A new ArrayBuffer that becomes the native's result when given to finish().
class Result {
 public:
  /// When `size` bytes cannot be had, ok() is false. They start as zeros.
  Result(v8::Isolate* isolate, size_t size);

  bool ok() const { return !buffer_.IsEmpty(); }
  uint8_t* data() { return data_; }
  size_t size() const { return size_; }
  v8::Local<v8::ArrayBuffer> buffer() const { return buffer_; }

  void finish(const Info& info) { info.GetReturnValue().Set(buffer_); }
  /// Only the first `size` bytes.
  void finish(const Info& info, size_t size);

 private:
  v8::Isolate* isolate_;
  v8::Local<v8::ArrayBuffer> buffer_;
  uint8_t none_[1] = {};
  uint8_t* data_ = none_;
  size_t size_;
};

/// The longest text that names an algorithm, a curve or a parameter.
constexpr size_t kMaxName = 63;

/// A short ASCII argument, cut after kMaxName; empty for everything but strings.
std::string name_of(v8::Isolate* isolate, v8::Local<v8::Value> value);

/// A number argument as a size: 0 for everything that is none.
size_t size_of(v8::Local<v8::Value> value);

/// What OpenSSL notes about an error belongs to nobody else on this thread.
class ErrorScope {
 public:
  ErrorScope() = default;
  ~ErrorScope();
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

}  // namespace valor::web::crypto
