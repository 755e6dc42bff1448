#include "http/http1-exchange.h"

#include <algorithm>
#include <charconv>

#include "http/connection.h"
#include "http/response-head.h"

namespace valor::http {

namespace {

// Above this much unsent output a writer is asked to wait.
constexpr size_t kHighWater = 256 * 1024;

void append_chunk_size(std::string& out, size_t size) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  out.append(digits, end);
  out += "\r\n";
}

}  // namespace

core::BodyPiece Http1Exchange::read_body() {
  return connection_.read_body(*this);
}

void Http1Exchange::append_head(const core::ResponseHead& head, std::optional<uint64_t> length, bool body_follows) {
  head_sent_ = true;
  status_ = head.status;
  body_allowed_ = status_has_body(head.status) && !is_head();
  const BodyFraming framing = framing_of(head, length, body_follows, is_head(), framing_.http_1_0);
  if (framing == BodyFraming::kUntilClose) framing_.keep_alive = false;
  chunked_ = framing == BodyFraming::kChunked;
  if (framing == BodyFraming::kLength && body_allowed_) length_left_ = length;

  const bool closes = connection_.closes_after(*this);
  if (closes) framing_.keep_alive = false;
  append_response_head(connection_.output_of(*this), {.head = head,
                                                      .framing = framing,
                                                      .length = length.value_or(0),
                                                      .connection = closes              ? ConnectionHeader::kClose
                                                                    : framing_.http_1_0 ? ConnectionHeader::kKeepAlive
                                                                                        : ConnectionHeader::kNone,
                                                      .request_id = request_.id,
                                                      .plugin = plugin_,
                                                      .server = connection_.shared_.server_header,
                                                      .unix_seconds = connection_.loop_->unix_seconds()});
}

void Http1Exchange::respond(const core::ResponseHead& head, std::string_view body) {
  append_head(head, body.size(), false);
  if (body_allowed_) connection_.write_through(*this, body);
  done();
}

void Http1Exchange::start_response(const core::ResponseHead& head, std::optional<uint64_t> length) {
  append_head(head, length, true);
  connection_.soon();
}

core::WriteStatus Http1Exchange::write(std::string_view data) {
  if (connection_.dead_) return core::WriteStatus::kGone;
  if (body_allowed_ && !data.empty()) {
    if (length_left_) {
      // More than was announced would be read as the next response.
      data = data.substr(0, std::min<uint64_t>(data.size(), *length_left_));
      *length_left_ -= data.size();
    }
    if (chunked_) append_chunk_size(connection_.output_of(*this), data.size());
    connection_.write_through(*this, data);
    if (chunked_) connection_.output_of(*this) += "\r\n";
  }
  if (connection_.dead_) return core::WriteStatus::kGone;
  const bool oldest = connection_.exchanges_.front().get() == this;
  wants_writable_ = (oldest ? connection_.unsent() : held_back_.size()) > kHighWater;
  return wants_writable_ ? core::WriteStatus::kWait : core::WriteStatus::kReady;
}

void Http1Exchange::finish() {
  if (chunked_) connection_.output_of(*this) += "0\r\n\r\n";
  if (length_left_.value_or(0) > 0) {
    abort();
    return;
  }
  done();
}

void Http1Exchange::abort() {
  listener_ = nullptr;
  const bool oldest = connection_.exchanges_.front().get() == this;
  if (!head_sent_ || !oldest) {
    // Nothing of it is out yet, and the answers before it must not suffer.
    held_back_.clear();
    refuse({.status = 500, .detail = "the plug-in's answer broke off", .plugin = std::string(plugin_)});
    return;
  }
  if (framing_.http_1_0 && body_allowed_ && !length_left_) {
    // The end of the connection is the end of the body, so that only a reset says that something went wrong.
    connection_.reset();
    return;
  }
  // A connection that ends before the body does is how HTTP/1.1 says that something went wrong. It ends as after a last
  // answer, because a client may lose what it has not read, answers before this one too, when the connection is reset.
  framing_.keep_alive = false;
  done();
}

void Http1Exchange::reroute() {
  listener_ = nullptr;
  plugin_ = {};
  state_ = State::kUnrouted;
  connection_.retry_later(*this);
}

void Http1Exchange::refuse(core::Problem problem) {
  listener_ = nullptr;
  refusal_ = std::move(problem);
  plugin_ = refusal_->plugin;
  respond(core::to_head(*refusal_), core::to_json(*refusal_, request_.id));
}

void Http1Exchange::done() {
  listener_ = nullptr;
  state_ = State::kDone;
  connection_.exchange_done(*this);
}

void Http1Exchange::reset() {
  request_.clear();
  framing_ = {};
  state_ = State::kParsing;
  listener_ = nullptr;
  plugin_ = {};
  refusal_.reset();
  head_sent_ = chunked_ = wants_writable_ = wants_body_ = false;
  body_allowed_ = true;
  length_left_.reset();
  status_ = 0;
  reroutes_ = 0;
  retry_at_ms_ = 0;
  started_us_ = 0;
  held_back_.clear();
}

}  // namespace valor::http
