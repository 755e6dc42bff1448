// Requests of the plug-in's own. The instance does other things while the answer is on its way.
//
//     valor::FetchResponse response = co_await valor::fetch("https://example.org/books");
//     if (!response) co_return valor::Response(502, response.error());
//     auto text = co_await response.text();
//
// A fetch belongs to the request that the coroutine works for, and ends with it. It also ends when the coroutine, or
// the FetchResponse, is destroyed: what lost a race is not fetched on.
#pragma once

#include <valor.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/body.hpp>
#include <valor/headers.hpp>
#include <valor/response.hpp>
#include <valor/task.hpp>

namespace valor {

enum class Redirect {
  kFollow,  ///< up to 20, as browsers do
  kManual,  ///< a redirect is a response like any other
};

class FetchRequest {
 public:
  /// http: or https:, absolute or relative to Context::location().
  FetchRequest(std::string url) : url_(std::move(url)) {}            // NOLINT(google-explicit-constructor)
  FetchRequest(std::string_view url) : url_(url) {}                  // NOLINT(google-explicit-constructor)
  FetchRequest(const char* url) : FetchRequest(std::string(url)) {}  // NOLINT(google-explicit-constructor)

  /// "GET" unless set.
  FetchRequest&& method(std::string method) && {
    method_ = std::move(method);
    return std::move(*this);
  }
  /// Adds a header; a name may repeat.
  FetchRequest&& header(std::string_view name, std::string_view value) && {
    detail::append_header(headers_, name, value);
    return std::move(*this);
  }
  /// A whole body. Its content-type is a header to be set.
  FetchRequest&& body(std::string bytes) && {
    body_ = std::move(bytes);
    return std::move(*this);
  }
  /// A body in pieces, written by a coroutine: see Response::stream. The answer may begin before all is written, and
  /// the handler may have ended by then, so the function owns what it uses: [request = std::move(request)], not
  /// [&request]. Such a lambda is made in a statement before the co_await: GCC 12 destroys its captures twice
  /// otherwise. `length` is the body's size in bytes where that is known.
  template <class Function>
  FetchRequest&& stream(Function function, std::optional<uint64_t> length = std::nullopt) && {
    source_ = std::make_unique<detail::BodySourceOf<Function>>(std::move(function));
    length_ = length;
    return std::move(*this);
  }
  FetchRequest&& redirect(Redirect redirect) && {
    redirect_ = redirect;
    return std::move(*this);
  }

 private:
  friend class FetchResponse;

  std::string url_;
  std::string method_ = "GET";
  std::string headers_;  // packed as valor.h says
  std::optional<std::string> body_;
  std::unique_ptr<detail::BodySource> source_;
  std::optional<uint64_t> length_;
  Redirect redirect_ = Redirect::kFollow;
};

namespace detail {

/// A fetch at the host, from its start until it is destroyed. Stays where it is.
struct Fetching {
  BodyPosition body{0, 0, true};
  std::unique_ptr<uint64_t[]> head;
  std::string error;
  std::unique_ptr<BodySource> source;
  Root* upload = nullptr;  // the coroutine that writes the request's body, while it lives

  Fetching() = default;
  Fetching(const Fetching&) = delete;
  Fetching& operator=(const Fetching&) = delete;
  ~Fetching() {
    if (upload) upload->frame.destroy();
    if (body.exchange) host->fetch_cancel(body.instance, body.exchange);
  }
};

/// co_await ThisRoot(): where the coroutine belongs. Does not suspend.
struct ThisRoot {
  Root* root = nullptr;
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> frame) {
    root = frame.promise().root;
    return false;
  }
  Root& await_resume() const { return *root; }
};

inline Driver upload(Instance& instance, uint64_t /*request*/, Fetching& fetching) {
  struct Presence {
    Presence(Fetching& its_fetching, Root& root) : fetching(its_fetching) { fetching.upload = &root; }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    ~Presence() { fetching.upload = nullptr; }
    Fetching& fetching;
  };
  Root& root = co_await ThisRoot();
  const Presence presence(fetching, root);
  Writer writer(instance.number(), fetching.body.exchange);
  co_await fetching.source->run(writer);
  host->send_end(instance.number(), fetching.body.exchange);
}

}  // namespace detail

/// The response to a fetch, or why there is none.
class FetchResponse {
 public:
  FetchResponse(FetchResponse&&) noexcept = default;
  FetchResponse& operator=(FetchResponse&&) noexcept = default;

  /// Whether there is a response, of whatever status.
  explicit operator bool() const { return fetching_->head != nullptr; }
  /// Why there is no response, or what went wrong with its body; empty when all is well.
  const std::string& error() const { return fetching_->error; }

  /// 200 to 599; 0 without a response.
  int status() const { return *this ? static_cast<int>(fixed().status) : 0; }
  /// Whether the status is 200 to 299.
  bool ok() const { return status() >= 200 && status() <= 299; }
  /// Where the response came from, after redirects.
  std::string_view url() const {
    return *this ? std::string_view(bytes() + fixed().url.offset, fixed().url.size) : std::string_view();
  }
  /// Whether that is another URL than was asked.
  bool redirected() const { return *this && (fixed().flags & VALOR_RESPONSE_REDIRECTED) != 0; }
  /// The size of the body in bytes as declared, which is before gzip and the like are decoded.
  std::optional<uint64_t> length() const {
    return *this && (fixed().flags & VALOR_RESPONSE_HAS_LENGTH) != 0 ? std::optional(fixed().body_length)
                                                                     : std::nullopt;
  }

  /// All headers in order, names in lower case.
  Headers headers() const {
    return *this ? Headers(bytes(), fixed().headers, fixed().header_count) : Headers("", 0, 0);
  }
  /// The value of the first header of that name (in any case).
  std::optional<std::string_view> header(std::string_view name) const { return headers().find(name); }

  class ReadAwaiter final : public detail::PieceAwaiter {
   public:
    ReadAwaiter(detail::Fetching& fetching, bool reports)
        : PieceAwaiter(fetching.body), fetching_(fetching), reports_(reports) {}

   private:
    bool broke_off() override {
      fetching_.error = "the response's body broke off";
      if (!reports_) fail_here("a fetch failed: " + fetching_.error);
      return reports_;
    }
    detail::Fetching& fetching_;
    bool reports_;
  };
  struct [[nodiscard]] Read {
    FetchResponse& response;
    bool reports;
    ReadAwaiter operator co_await() const { return ReadAwaiter(*response.fetching_, reports); }
  };

  /// co_await response.read(): the next piece of the body, at most 64 KiB; nothing at its end. Valid until the next
  /// read. When the body breaks off, the plug-in's own request fails (500) and the coroutine ends here, so a torn body
  /// is never taken for a whole one.
  Read read() { return {*this, false}; }
  /// The same, but when the body breaks off, there is no piece either, and error() says so: look there after the last.
  Read try_read() { return {*this, true}; }

  /// co_await response.text(): all that is left of the body. Nothing when there is no response, when the body breaks
  /// off or is longer than `limit` bytes: error() says which.
  Task<std::optional<std::string>> text(size_t limit = Body::kTextLimit) {
    std::optional<std::string> text;
    if (!*this) co_return text;
    text.emplace();
    while (const std::optional<std::string_view> piece = co_await try_read()) {
      if (piece->size() > limit - text->size()) {
        fetching_->error = "the response's body is longer than " + std::to_string(limit) + " bytes";
        break;
      }
      text->append(*piece);
    }
    if (!fetching_->error.empty()) text.reset();
    co_return text;
  }

 private:
  friend Task<FetchResponse> fetch(FetchRequest request);

  FetchResponse() : fetching_(std::make_unique<detail::Fetching>()) {}

  class StartAwaiter final : detail::HostAwaiter {
   public:
    StartAwaiter(detail::Fetching& fetching, FetchRequest& request) : fetching_(fetching), fetch_(request) {}
    bool await_ready() const { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> frame) {
      suspend(frame, true);
      const int64_t result = start();
      if (result > 0) {
        send_body();
        return true;
      }
      stop_waiting();
      if (result == VALOR_GONE || result == VALOR_NO_INSTANCE) {
        end_here();
        return true;
      }
      fetching_.error = "the fetch of " + fetch_.url_ + " was refused: Valor's log says why";
      return false;
    }
    void await_resume() const {}

   private:
    int64_t start() {
      const bool streamed = fetch_.source_ != nullptr;
      const uint32_t flags = (streamed || fetch_.body_ ? VALOR_FETCH_BODY : 0) |
                             (fetch_.redirect_ == Redirect::kManual ? VALOR_FETCH_MANUAL : 0);
      const uint64_t length =
          streamed ? fetch_.length_.value_or(VALOR_LENGTH_UNKNOWN) : fetch_.body_.value_or("").size();
      const int64_t result = detail::host->fetch(
          instance().number(), request(), fetch_.method_.data(), fetch_.method_.size(), fetch_.url_.data(),
          fetch_.url_.size(), fetch_.headers_.data(), fetch_.headers_.size(), length, flags, number());
      if (result > 0) {
        fetching_.body.instance = instance().number();
        fetching_.body.exchange = static_cast<uint64_t>(result);
      }
      return result;
    }
    void send_body() {
      if (fetch_.source_) {
        fetching_.source = std::move(fetch_.source_);
        detail::upload(instance(), request(), fetching_);
      } else if (fetch_.body_) {
        // All of it is taken at once, so nobody needs to know when more could be sent.
        const uint64_t exchange = fetching_.body.exchange;
        Ignored ignored;
        const int32_t sent = detail::host->send_body(instance().number(), exchange, fetch_.body_->data(),
                                                     fetch_.body_->size(), ignored.number());
        if (sent == VALOR_WAIT) detail::host->cancel(instance().number(), ignored.number());
        detail::host->send_end(instance().number(), exchange);
      }
    }
    void complete(int32_t status, const void* data, size_t size) override {
      stop_waiting();
      if (status == VALOR_OK) {
        fetching_.head = std::make_unique_for_overwrite<uint64_t[]>((size + 7) / 8);
        std::memcpy(fetching_.head.get(), data, size);
        fetching_.body.ended = false;
      } else if (status == VALOR_FAILED) {
        fetching_.error.assign(static_cast<const char*>(data), size);
      } else {
        return end_here();
      }
      go_on();
    }
    struct Ignored final : detail::Operation {
      void complete(int32_t, const void*, size_t) override {}
    };

    detail::Fetching& fetching_;
    FetchRequest& fetch_;
  };

  const char* bytes() const { return reinterpret_cast<const char*>(fetching_->head.get()); }
  const valor_response_head& fixed() const { return *reinterpret_cast<const valor_response_head*>(bytes()); }

  std::unique_ptr<detail::Fetching> fetching_;
};

/// co_await valor::fetch(request): goes on when the head of the response is there, or when it is clear that there will
/// be none. A status such as 404 is a response.
inline Task<FetchResponse> fetch(FetchRequest request) {
  FetchResponse response;
  co_await FetchResponse::StartAwaiter(*response.fetching_, request);
  co_return response;
}

}  // namespace valor
