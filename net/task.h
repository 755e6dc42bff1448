// A function to be called once, on another thread's loop. Unlike std::function it may own things that only move.
#pragma once

#include <memory>
#include <utility>

namespace valor::net {

class Task {
 public:
  Task() = default;
  template <class Function>
  Task(Function function)  // NOLINT(google-explicit-constructor)
      : body_(std::make_unique<BodyOf<Function>>(std::move(function))) {}

  void operator()() { body_->run(); }
  explicit operator bool() const { return body_ != nullptr; }

 private:
  struct Body {
    virtual ~Body() = default;
    virtual void run() = 0;
  };
  template <class Function>
  struct BodyOf final : Body {
    explicit BodyOf(Function function) : function_(std::move(function)) {}
    void run() override { function_(); }
    Function function_;
  };
  std::unique_ptr<Body> body_;
};

}  // namespace valor::net
