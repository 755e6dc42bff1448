// Calls from other threads to Node's main thread, the control plane.
#pragma once

#include <node.h>
#include <uv.h>

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"

namespace valor::server {

/// Created and closed on the main thread; keeps Node's event loop alive until closed.
class MainThread {
 public:
  static std::shared_ptr<MainThread> create(v8::Isolate* isolate);

  /// Runs `job` on the main thread, in a handle scope and the main context. Dropped once closed. Any thread.
  void post(std::function<void(v8::Local<v8::Context>)> job);

  /// Sets the JavaScript function (path, source) => source that strips types. Main thread.
  void set_strip(v8::Local<v8::Function> strip);
  /// Calls it and waits for its answer. Any thread but the main one.
  core::Result<std::string> strip(const std::string& path, const std::string& source);

  /// Lets nobody wait any more. Main thread; more than once does no harm.
  void close();

 private:
  struct Answer {
    std::promise<core::Result<std::string>> promise;
  };
  explicit MainThread(v8::Isolate* isolate) : isolate_(isolate) {}
  void run_jobs();
  core::Result<std::string> call_strip(v8::Local<v8::Context> context, const std::string& path,
                                       const std::string& source);

  v8::Isolate* const isolate_;
  v8::Global<v8::Context> context_;
  v8::Global<v8::Function> strip_;
  uv_async_t* async_ = nullptr;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::function<void(v8::Local<v8::Context>)>> jobs_;
  std::vector<std::shared_ptr<Answer>> waiting_;
};

}  // namespace valor::server
