// HTTP/1.1 requests: bytes in, core messages and body pieces out. No sockets, no clock.
//
// The grammar is Boost.Beast's parser; on top of it stand the rules against request smuggling, where RFC 9112 lets a
// server choose and the strict choice is the safe one.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/message.h"
#include "http/limits.h"

namespace valor::http {

/// Why a request is refused.
struct ParseError {
  uint16_t status;     ///< 400, 408, 413, 414, 417, 431, 501 or 505
  const char* detail;  ///< a sentence for the client
  const char* limit = "";
  uint64_t limit_value = 0;
};

/// How a request's body is framed, and what the connection has to know of its head.
struct Framing {
  bool has_body = false;
  std::optional<uint64_t> content_length;  ///< nullopt with has_body: chunked
  bool keep_alive = true;
  bool http_1_0 = false;
  bool expects_continue = false;
};

/// Parses one request. A fresh parser for each.
class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(const Limits& limits);

  enum class State { kIncomplete, kDone, kError };

  /// Parses the head from the start of `data`. kIncomplete: call again with more bytes at the end of the same data.
  /// kDone: `consumed` bytes were used.
  State parse_head(std::string_view data, core::Request& request, Framing& framing, size_t& consumed);

  /// After a head with a body: decodes the next bytes of the body. `consumed` bytes of `data` were used; `piece` is
  /// what they held of the body, either a part of `data` or kept in the parser until the next call. kDone: the body
  /// ends here. kIncomplete: more bytes are needed; those that were not consumed must be offered again.
  State parse_body(std::string_view data, std::string_view& piece, size_t& consumed);

  /// After kError.
  const ParseError& error() const { return error_; }

 private:
  using Base = boost::beast::http::basic_parser<true>;
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb method, View method_text, View target, int version,
                       ErrorCode& code) override;
  void on_response_impl(int code_value, View reason, int version, ErrorCode& code) override;
  void on_field_impl(boost::beast::http::field field, View name, View value, ErrorCode& code) override;
  void on_header_impl(ErrorCode& code) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode& code) override;
  std::size_t on_body_impl(View data, ErrorCode& code) override;
  void on_chunk_header_impl(std::uint64_t size, View extensions, ErrorCode& code) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, View data, ErrorCode& code) override;
  void on_finish_impl(ErrorCode& code) override;

  State fail(ParseError error);
  State fail_from(ErrorCode code);
  std::optional<ParseError> check_head(core::Request& request, Framing& framing);
  std::optional<ParseError> check_target(core::Request& request);
  std::optional<ParseError> check_framing(std::string_view length, uint32_t lengths, std::string_view coding,
                                          uint32_t codings, Framing& framing);
  void add_piece(View data);

  const Limits& limits_;
  core::Request* request_ = nullptr;
  std::string_view data_;  // what is being parsed
  std::string_view piece_;
  std::string joined_;
  size_t consumed_ = 0;      // of the head
  uint64_t chunk_left_ = 0;  // bytes of the current chunk that have not come yet
  int version_ = 11;
  ParseError error_{};
};

}  // namespace valor::http
