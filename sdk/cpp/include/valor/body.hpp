// Bodies that arrive, read in pieces as they come. Reading slowly slows the other side down; what is not read is thrown
// away by the host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/task.hpp>

namespace valor {

namespace detail {

/// How far a body has been read: that of a request, or of the response to a fetch.
struct BodyPosition {
  static constexpr size_t kPieceSize = 64 * 1024;

  uint64_t instance;
  uint64_t exchange;
  bool ended;
  std::unique_ptr<char[]> buffer = nullptr;
};

/// Reads one piece. What happens when the body breaks off, the derived class decides.
class PieceAwaiter : protected HostAwaiter {
 public:
  explicit PieceAwaiter(BodyPosition& position) : position_(position) {}
  bool await_ready() {
    if (!position_.ended) read();
    return result_ >= 0;
  }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> frame) {
    suspend(frame, true);
    return result_ == VALOR_WAIT || !go_on_after_break();
  }
  std::optional<std::string_view> await_resume() {
    if (result_ <= 0) {
      position_.ended = true;
      return std::nullopt;
    }
    return std::string_view(position_.buffer.get(), static_cast<size_t>(result_));
  }

 protected:
  ~PieceAwaiter() = default;
  /// Returns whether the coroutine goes on and sees no piece. Otherwise it must have been ended.
  virtual bool broke_off() = 0;

 private:
  void read() {
    if (!position_.buffer) position_.buffer = std::make_unique_for_overwrite<char[]>(BodyPosition::kPieceSize);
    result_ = host->body_read(position_.instance, position_.exchange, position_.buffer.get(), BodyPosition::kPieceSize,
                              number());
  }
  void complete(int32_t status, const void*, size_t) override {
    result_ = status;
    if (status == VALOR_OK) read();
    if (result_ == VALOR_WAIT) return;
    stop_waiting();
    if (result_ >= 0 || broke_off()) go_on();
  }
  bool go_on_after_break() {
    stop_waiting();
    return broke_off();
  }

  BodyPosition& position_;
  int32_t result_ = 0;
};

}  // namespace detail

/// The body of a request.
class Body {
 public:
  static constexpr size_t kPieceSize = detail::BodyPosition::kPieceSize;
  /// What text() accepts unless told otherwise: 16 MiB.
  static constexpr size_t kTextLimit = 16 * 1024 * 1024;

  Body(uint64_t instance, uint64_t request, bool present, std::optional<uint64_t> length)
      : position_{instance, request, !present}, length_(length) {}

  /// Its size in bytes, where the client declared one.
  std::optional<uint64_t> length() const { return length_; }

  class ReadAwaiter final : public detail::PieceAwaiter {
   public:
    using PieceAwaiter::PieceAwaiter;

   private:
    bool broke_off() override {
      end_here();
      return false;
    }
  };
  struct [[nodiscard]] Read {
    Body& body;
    ReadAwaiter operator co_await() const { return ReadAwaiter(body.position_); }
  };

  /// co_await body.read(): the next piece, 1 byte to kPieceSize; nothing at the end of the body. The piece is valid
  /// until the next read. When the client breaks off, the coroutine ends here, so a torn body is never taken for a
  /// whole one.
  Read read() { return {*this}; }

  /// co_await body.text(): all that is left of the body. A body of more than `limit` bytes is answered with 413, and
  /// the coroutine ends here.
  Task<std::string> text(size_t limit = kTextLimit) {
    std::string text;
    if (length_ && *length_ <= limit) text.reserve(static_cast<size_t>(*length_));
    while (true) {
      const std::optional<std::string_view> piece = co_await read();
      if (!piece) break;
      if (piece->size() > limit - text.size()) co_await TooLarge(*this);
      text.append(*piece);
    }
    co_return text;
  }

 private:
  class TooLarge final : detail::HostAwaiter {
   public:
    explicit TooLarge(Body& body) : body_(body) {}
    bool await_ready() const { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
      constexpr std::string_view kAnswer = "The body of the request is too large.\n";
      detail::host->respond(body_.position_.instance, body_.position_.exchange, 413, nullptr, 0, kAnswer.data(),
                            kAnswer.size());
      suspend(frame, false);
    }
    void await_resume() const {}

   private:
    void complete(int32_t, const void*, size_t) override {}
    Body& body_;
  };

  detail::BodyPosition position_;
  std::optional<uint64_t> length_;
};

}  // namespace valor
