// Task<T>: a coroutine that gives a T later. It starts when it is awaited and runs on the thread of the instance.
//
//     valor::Task<int> half() { co_await valor::sleep(10); co_return 21; }
//     valor::Task<valor::Response> on_request(valor::Request request) {
//       int sum = co_await half() + co_await half();
//       co_return std::to_string(sum);
//     }
#pragma once

#include <coroutine>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <valor/instance.hpp>

namespace valor {

template <class T>
class Task;

namespace detail {

/// What all coroutines of the SDK have in common: where they belong and who waits for them.
struct PromiseBase {
  Root* root = nullptr;
  std::coroutine_handle<> waiter;
#if VALOR_DETAIL_EXCEPTIONS
  std::exception_ptr error;
#endif

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct GoOnWithWaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().waiter;
    }
    void await_resume() noexcept {}
  };
  GoOnWithWaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept {
#if VALOR_DETAIL_EXCEPTIONS
    error = std::current_exception();
#else
    std::abort();
#endif
  }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class Value>
  void return_value(Value&& result) {
    value.emplace(std::forward<Value>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

/// The outermost coroutine of a request, or of on_create. Owns itself: it is gone when it ends or is destroyed.
struct Driver {
  struct promise_type {
    Root own_root;
    Root* root = &own_root;

    template <class... Rest>
    promise_type(Instance& instance, uint64_t request, Rest&&...) : own_root(instance, request) {
      own_root.frame = std::coroutine_handle<promise_type>::from_promise(*this);
      instance.add(own_root);
    }
    ~promise_type() { own_root.instance.remove(own_root); }
    promise_type(const promise_type&) = delete;
    promise_type& operator=(const promise_type&) = delete;

    Driver get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept {
#if VALOR_DETAIL_EXCEPTIONS
      own_root.fail(exception_text());
      // What else runs for this request would work for nobody.
      own_root.instance.doom_request(own_root.request);
#else
      std::abort();
#endif
    }
  };
};

}  // namespace detail

/// Owns its coroutine: a Task that is destroyed takes the coroutine with it, wherever that waits.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Value = T;

  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    bool await_ready() const { return frame_.done(); }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> waiter) {
      frame_.promise().root = waiter.promise().root;
      frame_.promise().waiter = waiter;
      return frame_;
    }
    T await_resume() {
#if VALOR_DETAIL_EXCEPTIONS
      if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
#endif
      return frame_.promise().take();
    }

   private:
    std::coroutine_handle<promise_type> frame_;
  };
  /// A task is awaited once: the value is moved out.
  Awaiter operator co_await() && { return Awaiter(frame_); }
  Awaiter operator co_await() & { return Awaiter(frame_); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

namespace detail {

/// Waits at the host. The derived class asks; an answer that is not VALOR_WAIT ends the waiting.
class HostAwaiter : protected Operation {
 public:
  HostAwaiter() = default;
  HostAwaiter(const HostAwaiter&) = delete;
  HostAwaiter& operator=(const HostAwaiter&) = delete;

 protected:
  ~HostAwaiter() {
    if (waiting_) host->cancel(root_->instance.number(), number());
  }

  template <class Promise>
  void suspend(std::coroutine_handle<Promise> frame, bool waiting) {
    root_ = frame.promise().root;
    frame_ = frame;
    waiting_ = waiting;
    if (!waiting) end_here();
  }
  /// The operation has ended.
  void stop_waiting() { waiting_ = false; }
  void go_on() { frame_.resume(); }
  /// What was waited for is gone for ever.
  void end_here() { root_->instance.doom(*root_); }
  Instance& instance() { return root_->instance; }
  uint64_t request() { return root_->request; }
  /// The same, and what waits for this coroutine learns that it failed.
  void fail_here(std::string_view message) {
    root_->fail(message);
    root_->instance.doom_request(root_->request);
  }

 private:
  Root* root_ = nullptr;
  std::coroutine_handle<> frame_;
  bool waiting_ = false;
};

class SleepAwaiter final : HostAwaiter {
 public:
  explicit SleepAwaiter(uint64_t milliseconds) : milliseconds_(milliseconds) {}
  bool await_ready() const { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    suspend(frame, host->sleep(frame.promise().root->instance.number(), milliseconds_, number()) == VALOR_OK);
  }
  void await_resume() const {}

 private:
  void complete(int32_t, const void*, size_t) override {
    stop_waiting();
    go_on();
  }
  uint64_t milliseconds_;
};

struct [[nodiscard]] Sleep {
  uint64_t milliseconds;
  SleepAwaiter operator co_await() const { return SleepAwaiter(milliseconds); }
};

}  // namespace detail

/// co_await valor::sleep(250): goes on at least so many milliseconds later. Meanwhile the instance does other things.
inline detail::Sleep sleep(uint64_t milliseconds) {
  return {milliseconds};
}

}  // namespace valor
