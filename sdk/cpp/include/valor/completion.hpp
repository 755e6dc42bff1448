// Waiting in a coroutine for something that happens on another thread.
//
//     int sum = co_await valor::in_thread([] { return add_up_for_seconds(); });
//
// or, when the other side has threads of its own:
//
//     valor::Completion<int> done;
//     library_call([done](int result) { done.set(result); });
//     int result = co_await done;
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <valor/task.hpp>
#if !defined(__wasm__)
#include <thread>
#endif

namespace valor {

/// A value to come. Copies share it. Set once, from any thread; awaited once, by a coroutine of an instance.
template <class T>
class Completion {
  struct Waiter {
    virtual void go_on() = 0;

   protected:
    ~Waiter() = default;
  };

  struct State {
    detail::Mutex mutex;
    std::optional<T> value;
#if VALOR_DETAIL_EXCEPTIONS
    std::exception_ptr error;
#endif
    bool is_set = false;
    detail::InstancePointer instance;  // of the waiter
    Waiter* waiter = nullptr;          // touched on the instance's thread, or before anybody waits
  };

  class Wake final : public detail::Job {
   public:
    explicit Wake(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void run() override {
      if (Waiter* waiter = std::exchange(state_->waiter, nullptr)) waiter->go_on();
    }

   private:
    std::shared_ptr<State> state_;
  };

 public:
  Completion() : state_(std::make_shared<State>()) {}

  /// Any thread. The first value counts.
  void set(T value) const {
    finish([&](State& state) { state.value.emplace(std::move(value)); });
  }
#if VALOR_DETAIL_EXCEPTIONS
  /// The co_await throws it.
  void set_exception(std::exception_ptr error) const {
    finish([&](State& state) { state.error = std::move(error); });
  }
#endif

  class Awaiter final : Waiter {
   public:
    explicit Awaiter(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (state_->waiter == this) state_->waiter = nullptr;
    }
    bool await_ready() const { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> frame) {
      const detail::Lock lock(state_->mutex);
      if (state_->is_set) return false;
      frame_ = frame;
      state_->instance = detail::InstancePointer(frame.promise().root->instance);
      state_->waiter = this;
      return true;
    }
    T await_resume() {
      const detail::Lock lock(state_->mutex);
#if VALOR_DETAIL_EXCEPTIONS
      if (state_->error) std::rethrow_exception(state_->error);
#endif
      return std::move(*state_->value);
    }

   private:
    void go_on() override { frame_.resume(); }
    std::shared_ptr<State> state_;
    std::coroutine_handle<> frame_;
  };
  Awaiter operator co_await() const { return Awaiter(state_); }

 private:
  template <class Fill>
  void finish(Fill fill) const {
    detail::InstancePointer instance;
    {
      const detail::Lock lock(state_->mutex);
      if (state_->is_set) return;
      fill(*state_);
      state_->is_set = true;
      instance = std::move(state_->instance);
    }
    if (instance) instance->post(std::make_unique<Wake>(state_));
  }

  std::shared_ptr<State> state_;
};

/// co_await valor::in_thread(function): runs `function` on a thread of its own and gives what it returns (void: true).
/// The instance does other things meanwhile. The thread goes on when the request ends before it does. `arguments` are
/// handed to it by value, as std::thread does:
///
///     co_await valor::in_thread(digest_of, std::move(text));
///
/// In WASM there are no threads: `function` runs at once, on the instance's thread, and the instance's other requests
/// wait for it. Other plug-ins do not, and "instances" in the plug-in's definition gives it more threads.
template <class Function, class... Arguments>
auto in_thread(Function&& function, Arguments&&... arguments) {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
  static_assert(
      std::is_lvalue_reference_v<Function> || std::is_trivially_destructible_v<Function>,
      "GCC 12 destroys twice what a lambda captures that is made within a co_await: hand it over as an argument, "
      "in_thread([](const std::string& text) { ... }, std::move(text))");
#endif
  using Value = std::invoke_result_t<std::decay_t<Function>&, std::decay_t<Arguments>...>;
  using Given = std::conditional_t<std::is_void_v<Value>, bool, Value>;
  Completion<Given> completion;
  auto run = [completion, function = std::decay_t<Function>(std::forward<Function>(function)),
              values = std::tuple<std::decay_t<Arguments>...>(std::forward<Arguments>(arguments)...)]() mutable {
    const auto call = [&] {
      if constexpr (std::is_void_v<Value>) {
        std::apply(function, std::move(values));
        completion.set(true);
      } else {
        completion.set(std::apply(function, std::move(values)));
      }
    };
#if VALOR_DETAIL_EXCEPTIONS
    try {
      call();
    } catch (...) {
      completion.set_exception(std::current_exception());
    }
#else
    call();
#endif
  };
#if defined(__wasm__)
  run();
#else
  std::thread(std::move(run)).detach();
#endif
  return completion;
}

}  // namespace valor
