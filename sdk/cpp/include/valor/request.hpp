// A request as a handler gets it.
//
// As long as a Request stays where the SDK made it, its head lies in the host's memory and costs no allocation; a
// Request that is moved (into a coroutine, a lambda, another thread) takes a copy of the head along. Views that a
// Request hands out are valid as long as that Request and until it is moved.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/body.hpp>
#include <valor/headers.hpp>
#include <valor/text.hpp>

namespace valor {

class Request {
 public:
  /// `head`: see valor_request_head; borrowed until the Request is moved. `pattern`: see param(); static.
  Request(uint64_t instance, uint64_t number, const void* head, size_t head_size, std::string_view pattern = {})
      : pattern_(pattern),
        head_(static_cast<const char*>(head)),
        head_size_(head_size),
        number_(number),
        body_(instance, number, (fixed().flags & VALOR_REQUEST_HAS_BODY) != 0,
              (fixed().flags & VALOR_REQUEST_HAS_LENGTH) != 0 ? std::optional<uint64_t>(fixed().body_length)
                                                              : std::nullopt) {}

  Request(Request&& other) noexcept
      : pattern_(other.pattern_),
        head_(other.head_),
        head_size_(other.head_size_),
        number_(other.number_),
        own_head_(std::move(other.own_head_)),
        body_(std::move(other.body_)) {
    if (own_head_) return;
    own_head_ = std::make_unique_for_overwrite<uint64_t[]>((head_size_ + 7) / 8);
    std::memcpy(own_head_.get(), head_, head_size_);
    head_ = reinterpret_cast<const char*>(own_head_.get());
  }
  Request& operator=(Request&&) = delete;

  /// As sent, for example "GET".
  std::string_view method() const { return text(fixed().method); }

  /// Relative to the mount: no leading slash, with the query; empty for the mount itself.
  std::string_view url() const { return text(fixed().url); }

  /// The url without its query.
  std::string_view path() const { return url().substr(0, url().find('?')); }

  /// The query without its question mark; empty when there is none.
  std::string_view query() const {
    const size_t mark = url().find('?');
    return mark == std::string_view::npos ? std::string_view() : url().substr(mark + 1);
  }

  /// The first value of `name` in the query, decoded; nothing when the name does not occur.
  std::optional<std::string> query(std::string_view name) const { return find_in_query(query(), name); }

  /// What stands for :name in the pattern of the route (valor/router.hpp), decoded; "*" is what the star stands for.
  /// Empty when the pattern has no such parameter.
  std::string param(std::string_view name) const { return find_in_path(pattern_, path(), name); }

  /// The x-request-id.
  std::string_view id() const { return text(fixed().id); }

  /// The value of the first header of that name (in any case).
  std::optional<std::string_view> header(std::string_view name) const { return headers().find(name); }

  /// All headers in order, names in lower case: for (valor::Header header : request.headers()) ...
  using Headers = valor::Headers;
  Headers headers() const { return {head_, fixed().headers, fixed().header_count}; }

  /// The body, to be read in a coroutine.
  Body& body() const { return body_; }

  /// co_await request.text(): the whole body. See Body::text.
  [[nodiscard]] Task<std::string> text(size_t limit = Body::kTextLimit) const { return body_.text(limit); }

  /// Its number at the host (valor.h).
  uint64_t number() const { return number_; }

 private:
  const valor_request_head& fixed() const { return *reinterpret_cast<const valor_request_head*>(head_); }
  std::string_view text(valor_span span) const { return {head_ + span.offset, span.size}; }

  std::string_view pattern_;
  const char* head_;
  size_t head_size_;
  uint64_t number_;
  std::unique_ptr<uint64_t[]> own_head_;
  mutable Body body_;  // reading it does not change what the request is
};

}  // namespace valor
