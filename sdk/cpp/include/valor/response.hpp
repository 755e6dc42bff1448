// A response: status, headers and a body that is either whole or written piece by piece by a coroutine.
//
//     return "plain text";
//     return valor::Response(404, "no such thing");
//     return valor::Response::json(R"({"ok":true})").header("cache-control", "no-store");
//     return valor::Response::stream([](valor::Writer& writer) -> valor::Task<> {
//       for (int i = 0; i < 3; ++i) co_await writer.write("tick\n");
//     });
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/headers.hpp>
#include <valor/task.hpp>
#include <valor/text.hpp>
#include <vector>

namespace valor {

/// Writes a body in pieces: of an answer, or of a fetch's request. Used on the instance's thread only.
class Writer {
 public:
  /// `exchange`: the number of the request or fetch (valor.h).
  Writer(uint64_t instance, uint64_t exchange) : instance_(instance), exchange_(exchange) {}

  class WriteAwaiter final : detail::HostAwaiter {
   public:
    WriteAwaiter(const Writer& writer, std::string_view data) : writer_(writer), data_(data) {}
    bool await_ready() {
      if (data_.empty()) return true;
      result_ = detail::host->send_body(writer_.instance_, writer_.exchange_, data_.data(), data_.size(), number());
      return result_ == VALOR_OK;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
      suspend(frame, result_ == VALOR_WAIT);
    }
    void await_resume() const {}

   private:
    void complete(int32_t status, const void*, size_t) override {
      stop_waiting();
      status == VALOR_OK ? go_on() : end_here();
    }
    const Writer& writer_;
    std::string_view data_;
    int32_t result_ = VALOR_OK;
  };

  struct [[nodiscard]] Write {
    const Writer& writer;
    std::string_view data;
    WriteAwaiter operator co_await() const { return WriteAwaiter(writer, data); }
  };

  class FailAwaiter final : detail::HostAwaiter {
   public:
    explicit FailAwaiter(std::string_view message) : message_(message) {}
    bool await_ready() const { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
      suspend(frame, true);
      stop_waiting();
      fail_here(message_);
    }
    void await_resume() const {}

   private:
    void complete(int32_t, const void*, size_t) override {}
    std::string_view message_;
  };

  struct [[nodiscard]] Fail {
    std::string_view message;
    FailAwaiter operator co_await() const { return FailAwaiter(message); }
  };

  /// co_await writer.write(data): sends the next bytes; goes on when the other side is ready for more. When that has
  /// left, the coroutine ends here.
  Write write(std::string_view data) const { return {*this, data}; }

  /// co_await writer.fail("words"): what cannot be finished must not look whole. The answer breaks off, `message` goes
  /// to the log, and the coroutine ends here. What an exception does, also in WASM.
  Fail fail(std::string_view message) const { return {message}; }

 private:
  uint64_t instance_;
  uint64_t exchange_;
};

namespace detail {

class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual Task<void> run(Writer& writer) = 0;
};

template <class Function>
class BodySourceOf final : public BodySource {
 public:
  explicit BodySourceOf(Function function) : function_(std::move(function)) {}
  Task<void> run(Writer& writer) override { return function_(writer); }

 private:
  Function function_;
};

}  // namespace detail

class Response {
 public:
  /// 200 with text; content-type text/plain;charset=UTF-8 unless another is set.
  Response(std::string text) : body_(std::move(text)), is_text_(true) {}  // NOLINT(google-explicit-constructor)
  Response(std::string_view text) : body_(text), is_text_(true) {}        // NOLINT(google-explicit-constructor)
  Response(const char* text) : body_(text), is_text_(true) {}             // NOLINT(google-explicit-constructor)
  /// 200 with bytes; no content-type unless set.
  Response(const std::vector<uint8_t>& bytes)  // NOLINT(google-explicit-constructor)
      : body_(bytes.begin(), bytes.end()) {}

  /// Only a status. 200 to 599.
  explicit Response(int status) : status_(static_cast<uint32_t>(status)) {}
  /// A status with text.
  Response(int status, std::string text)
      : status_(static_cast<uint32_t>(status)), body_(std::move(text)), is_text_(true) {}

  /// 200 with JSON text.
  static Response json(std::string text) { return json(200, std::move(text)); }
  static Response json(int status, std::string text) {
    Response response(status);
    response.body_ = std::move(text);
    response.header("content-type", "application/json");
    return response;
  }

  /// 200 with bytes; no content-type unless set.
  static Response bytes(std::string bytes) {
    Response response(200);
    response.body_ = std::move(bytes);
    return response;
  }

  /// The handler failed: the client gets 500, and `message` goes to the log. What an exception does, also in WASM.
  static Response failure(std::string message) {
    Response response(500);
    response.body_ = std::move(message);
    response.is_failure_ = true;
    return response;
  }

  /// A body in pieces: `function` is called with a Writer& and returns a Task<>. It is kept until that has ended, so a
  /// lambda may own what it needs.
  template <class Function>
  static Response stream(Function function) {
    return stream(200, std::move(function));
  }
  template <class Function>
  static Response stream(int status, Function function) {
    Response response(status);
    response.source_ = std::make_unique<detail::BodySourceOf<Function>>(std::move(function));
    return response;
  }

  /// Adds a header; a name may repeat. A name that is no token or a value with a line break makes the answer a 500.
  Response& header(std::string_view name, std::string_view value) & {
    if (detail::same_name(name, "content-type")) is_text_ = false;
    detail::append_header(headers_, name, value);
    return *this;
  }
  Response&& header(std::string_view name, std::string_view value) && { return std::move(header(name, value)); }

  Response& status(int status) & {
    status_ = static_cast<uint32_t>(status);
    return *this;
  }
  Response&& status(int status) && { return std::move(this->status(status)); }

  /// The size in bytes of a body that comes in pieces, where it is known: the client then sees how much to expect.
  /// Writing more or less than that breaks the connection.
  Response& length(uint64_t bytes) & {
    length_ = bytes;
    return *this;
  }
  Response&& length(uint64_t bytes) && { return std::move(length(bytes)); }

  int status() const { return static_cast<int>(status_); }
  const std::string& body() const { return body_; }
  bool is_stream() const { return source_ != nullptr; }
  bool is_failure() const { return is_failure_; }

 private:
  friend struct ResponseSender;

  uint32_t status_ = 200;
  std::string body_;
  std::string headers_;  // packed as valor.h says
  bool is_text_ = false;
  bool is_failure_ = false;
  std::optional<uint64_t> length_;
  std::unique_ptr<detail::BodySource> source_;
};

/// How the SDK sends a Response; not for handlers.
struct __attribute__((visibility("hidden"))) ResponseSender {
  /// Any thread; not for streams.
  static void send(uint64_t instance, uint64_t request, const Response& response) {
    const std::string& body = response.body_;
    if (response.is_text_ && response.headers_.empty()) {
      static constexpr TextTypeHeader kTextType;
      detail::host->respond(instance, request, response.status_, &kTextType, sizeof(kTextType), body.data(),
                            body.size());
      return;
    }
    if (response.is_failure_) return detail::fail_request(instance, request, body);
    const std::string headers = all_headers(response);
    detail::host->respond(instance, request, response.status_, headers.data(), headers.size(), body.data(),
                          body.size());
  }

  /// The instance's thread.
  static void start(detail::Instance& instance, uint64_t request, Response response) {
    if (response.source_) {
      stream(instance, request, std::move(response));
    } else {
      send(instance.number(), request, response);
    }
  }

  /// Any thread.
  static void start_from_anywhere(detail::Instance& instance, uint64_t request, Response response) {
    if (!response.source_) return send(instance.number(), request, response);
    instance.post(std::make_unique<StartJob>(instance, request, std::move(response)));
  }

 private:
  // One header, content-type: text/plain;charset=UTF-8, as it is packed.
  struct TextTypeHeader {
    uint32_t name_size = 12;
    uint32_t value_size = 24;
    char text[12 + 24] = {'c', 'o', 'n', 't', 'e', 'n', 't', '-', 't', 'y', 'p', 'e', 't', 'e', 'x', 't', '/', 'p',
                          'l', 'a', 'i', 'n', ';', 'c', 'h', 'a', 'r', 's', 'e', 't', '=', 'U', 'T', 'F', '-', '8'};
  };
  static_assert(sizeof(TextTypeHeader) == 8 + 12 + 24);

  static std::string all_headers(const Response& response) {
    std::string headers = response.headers_;
    if (response.is_text_) detail::append_header(headers, "content-type", "text/plain;charset=UTF-8");
    return headers;
  }

  static detail::Driver stream(detail::Instance& instance, uint64_t request, Response response) {
    const std::string headers = all_headers(response);
    const int32_t result = detail::host->send_head(instance.number(), request, response.status_, headers.data(),
                                                   headers.size(), response.length_.value_or(VALOR_LENGTH_UNKNOWN));
    if (result != VALOR_OK) co_return;
    Writer writer(instance.number(), request);
    co_await response.source_->run(writer);
    detail::host->send_end(instance.number(), request);
  }

  class StartJob final : public detail::Job {
   public:
    StartJob(detail::Instance& instance, uint64_t request, Response response)
        : instance_(instance), request_(request), response_(std::move(response)) {}
    void run() override { start(instance_, request_, std::move(response_)); }

   private:
    detail::Instance& instance_;
    uint64_t request_;
    Response response_;
  };
};

}  // namespace valor
