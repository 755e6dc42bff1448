#include "server/main-thread.h"

#include <algorithm>

namespace valor::server {

namespace {

v8::Local<v8::String> to_v8(v8::Isolate* isolate, const std::string& text) {
  v8::Local<v8::String> string;
  // Fails only for texts of half a gigabyte and more.
  if (!v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kNormal, static_cast<int>(text.size()))
           .ToLocal(&string)) {
    return v8::String::Empty(isolate);
  }
  return string;
}

std::string to_std(v8::Isolate* isolate, v8::Local<v8::Value> value) {
  const v8::String::Utf8Value text(isolate, value);
  return *text == nullptr ? std::string() : std::string(*text, static_cast<size_t>(text.length()));
}

}  // namespace

std::shared_ptr<MainThread> MainThread::create(v8::Isolate* isolate) {
  std::shared_ptr<MainThread> main(new MainThread(isolate));
  main->context_.Reset(isolate, isolate->GetCurrentContext());
  main->async_ = new uv_async_t;
  // The handle refers back to us until it is closed.
  main->async_->data = new std::shared_ptr<MainThread>(main);
  uv_async_init(node::GetCurrentEventLoop(isolate), main->async_, [](uv_async_t* async) {
    const std::shared_ptr<MainThread> self = *static_cast<std::shared_ptr<MainThread>*>(async->data);
    self->run_jobs();
  });
  return main;
}

void MainThread::post(std::function<void(v8::Local<v8::Context>)> job) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  jobs_.push_back(std::move(job));
  uv_async_send(async_);
}

void MainThread::run_jobs() {
  std::vector<std::function<void(v8::Local<v8::Context>)>> jobs;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
  }
  const v8::HandleScope handles(isolate_);
  const v8::Local<v8::Context> context = context_.Get(isolate_);
  const v8::Context::Scope scope(context);
  for (auto& job : jobs) {
    // Runs microtasks and process.nextTick at its end, as Node expects of native callbacks.
    const node::CallbackScope callback(isolate_, v8::Object::New(isolate_), node::async_context{0, 0});
    job(context);
  }
}

void MainThread::set_strip(v8::Local<v8::Function> strip) {
  strip_.Reset(isolate_, strip);
}

core::Result<std::string> MainThread::strip(const std::string& path, const std::string& source) {
  auto answer = std::make_shared<Answer>();
  auto future = answer->promise.get_future();
  {
    std::lock_guard lock(mutex_);
    if (closed_) return core::Error{"the server stops"};
    waiting_.push_back(answer);
    jobs_.push_back([this, answer, path, source](v8::Local<v8::Context> context) {
      core::Result<std::string> result = call_strip(context, path, source);
      {
        std::lock_guard lock(mutex_);
        if (std::erase(waiting_, answer) == 0) return;  // close() has answered
      }
      answer->promise.set_value(std::move(result));
    });
    uv_async_send(async_);
  }
  return future.get();
}

core::Result<std::string> MainThread::call_strip(v8::Local<v8::Context> context, const std::string& path,
                                                 const std::string& source) {
  const v8::TryCatch caught(isolate_);
  v8::Local<v8::Value> arguments[] = {to_v8(isolate_, path), to_v8(isolate_, source)};
  v8::Local<v8::Value> result;
  if (strip_.Get(isolate_)->Call(context, v8::Undefined(isolate_), 2, arguments).ToLocal(&result) &&
      result->IsString()) {
    return to_std(isolate_, result);
  }
  std::string message = path + ": the types cannot be stripped";
  v8::Local<v8::Value> text;
  if (caught.HasCaught() && caught.Exception()->IsObject() &&
      caught.Exception().As<v8::Object>()->Get(context, to_v8(isolate_, "message")).ToLocal(&text)) {
    message = to_std(isolate_, text);
  }
  return core::Error{std::move(message)};
}

void MainThread::close() {
  std::vector<std::shared_ptr<Answer>> waiting;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    waiting.swap(waiting_);
    jobs_.clear();
  }
  for (auto& answer : waiting) answer->promise.set_value(core::Error{"the server stops"});
  strip_.Reset();
  context_.Reset();
  uv_close(reinterpret_cast<uv_handle_t*>(async_), [](uv_handle_t* handle) {
    auto* async = reinterpret_cast<uv_async_t*>(handle);
    delete static_cast<std::shared_ptr<MainThread>*>(async->data);
    delete async;
  });
}

}  // namespace valor::server
