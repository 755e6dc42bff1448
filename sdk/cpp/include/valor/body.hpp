// The body of a request, read in pieces as it arrives. Reading slowly slows the client down; what is not read is thrown
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

class Body {
 public:
  static constexpr size_t kPieceSize = 64 * 1024;
  /// What text() accepts unless told otherwise: 16 MiB.
  static constexpr size_t kTextLimit = 16 * 1024 * 1024;

  Body(uint64_t instance, uint64_t request, bool present, std::optional<uint64_t> length)
      : instance_(instance), request_(request), length_(length), ended_(!present) {}

  /// Its size in bytes, where the client declared one.
  std::optional<uint64_t> length() const { return length_; }

  class ReadAwaiter final : detail::HostAwaiter {
   public:
    explicit ReadAwaiter(Body& body) : body_(body) {}
    bool await_ready() {
      if (body_.ended_) return true;
      read();
      return result_ >= 0;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
      suspend(frame, result_ == VALOR_WAIT);
    }
    std::optional<std::string_view> await_resume() {
      if (result_ <= 0) {
        body_.ended_ = true;
        return std::nullopt;
      }
      return std::string_view(body_.buffer_.get(), static_cast<size_t>(result_));
    }

   private:
    void read() {
      if (!body_.buffer_) body_.buffer_ = std::make_unique_for_overwrite<char[]>(kPieceSize);
      result_ = detail::host->body_read(body_.instance_, body_.request_, body_.buffer_.get(), kPieceSize, number());
    }
    void complete(int32_t status) override {
      stop_waiting();
      result_ = status;
      if (status == VALOR_OK) read();
      if (result_ == VALOR_WAIT) return wait_again();
      result_ >= 0 ? go_on() : end_here();
    }
    Body& body_;
    int32_t result_ = 0;
  };

  /// co_await body.read(): the next piece, 1 byte to kPieceSize; nothing at the end of the body. The piece is valid
  /// until the next read. When the client breaks off, the coroutine ends here, so a torn body is never taken for a
  /// whole one.
  [[nodiscard]] ReadAwaiter read() { return ReadAwaiter(*this); }

  /// co_await body.text(): all that is left of the body. A body of more than `limit` bytes is answered with 413, and
  /// the coroutine ends here.
  [[nodiscard]] Task<std::string> text(size_t limit = kTextLimit) {
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
      detail::host->respond(body_.instance_, body_.request_, 413, nullptr, 0, kAnswer.data(), kAnswer.size());
      suspend(frame, false);
    }
    void await_resume() const {}

   private:
    void complete(int32_t) override {}
    Body& body_;
  };

  uint64_t instance_;
  uint64_t request_;
  std::optional<uint64_t> length_;
  bool ended_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace valor
