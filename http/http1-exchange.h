// One request on an HTTP/1.1 connection, and its answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/exchange.h"
#include "core/problem.h"
#include "http/request-parser.h"

namespace valor::http {

class Connection;

/// Owned by its connection, which uses it again for a later request. HTTP/1.1 answers in the order of the requests:
/// only the oldest exchange writes to the connection, younger ones hold back what they have to say.
class Http1Exchange final : public core::Exchange {
 public:
  enum class State {
    kParsing,   ///< the head is not complete
    kUnrouted,  ///< nobody has taken it yet
    kAccepted,  ///< somebody answers it
    kDone,      ///< the answer is complete
  };

  explicit Http1Exchange(Connection& connection) : connection_(connection) {}

  const core::Request& request() const override { return request_; }
  void set_listener(core::ExchangeListener* listener) override { listener_ = listener; }
  void set_plugin(std::string_view name) override { plugin_ = name; }
  bool has_body() const override { return framing_.has_body; }
  std::optional<uint64_t> content_length() const override { return framing_.content_length; }
  core::BodyPiece read_body() override;
  void respond(const core::ResponseHead& head, std::string_view body) override;
  void start_response(const core::ResponseHead& head, std::optional<uint64_t> length) override;
  core::WriteStatus write(std::string_view data) override;
  void finish() override;
  void abort() override;
  void reroute() override;
  const void* batch() const override { return &connection_; }

  /// Answers with an error of http's own or routing's.
  void refuse(core::Problem problem);

 private:
  friend class Connection;

  bool is_head() const { return request_.method == "HEAD"; }
  void append_head(const core::ResponseHead& head, std::optional<uint64_t> length, bool body_follows);
  void done();
  void reset();

  Connection& connection_;
  core::Request request_;
  Framing framing_;
  State state_ = State::kParsing;
  core::ExchangeListener* listener_ = nullptr;
  std::string_view plugin_;
  std::optional<core::Problem> refusal_;  // what is to be said instead of routing

  bool head_sent_ = false;
  bool chunked_ = false;
  bool body_allowed_ = true;             // false for HEAD, 204, 304
  std::optional<uint64_t> length_left_;  // of a response framed by content-length
  bool wants_writable_ = false;
  bool wants_body_ = false;
  uint16_t status_ = 0;
  uint8_t reroutes_ = 0;
  uint64_t retry_at_ms_ = 0;  // not routed before; in loop milliseconds
  uint64_t started_us_ = 0;   // monotonic; only when requests are logged
  std::string held_back_;
};

}  // namespace valor::http
