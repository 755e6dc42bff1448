#include "loopback/exchange.h"

#include <algorithm>
#include <utility>

#include "http/connection-parts.h"
#include "http/response-head.h"
#include "loopback/sender.h"

namespace valor::loopback {

void log_access(http::Shared& server, std::string_view caller, const Outbound& outbound, uint16_t status,
                std::string_view plugin) {
  if (!server.log.keeps_access()) return;
  const core::Request& request = outbound.request;
  server.log.access({.method = request.method,
                     .target = request.target,
                     .status = status == 0 ? http::kClientClosedRequest : status,
                     .plugin = plugin,
                     .request_id = request.id,
                     .microseconds = outbound.started_us == 0 ? 0 : http::monotonic_us() - outbound.started_us,
                     .caller = caller});
}

// Calls message(sender) on the sender's loop.
template <class Message>
void Exchange::tell(Message message) {
  const bool told = postbox_->post([sender = sender_, message = std::move(message)]() mutable {
    if (const std::shared_ptr<Sender> there = sender.lock()) message(*there);
  });
  if (told || sender_lost_) return;
  sender_lost_ = true;
  loop_->post([self = shared_from_this()] { self->sender_gone(); });
}

void Exchange::arrive(net::Acceptor& acceptor) {
  self_ = shared_from_this();
  loop_ = &acceptor.loop();
  acceptor.accept(*this);
}

void Exchange::over() {
  log_access(server_, caller_, outbound_, status_, plugin_);
  loop_->forget(*this);
  listener_ = nullptr;
  const std::shared_ptr<Exchange> self = std::move(self_);
}

void Exchange::sender_gone() {
  if (self_ == nullptr) return;
  sender_lost_ = true;
  if (core::ExchangeListener* listener = std::exchange(listener_, nullptr)) listener->on_gone();
  over();
}

void Exchange::refuse(const core::Problem& problem) {
  if (self_ == nullptr) return;
  if (core::ExchangeListener* listener = std::exchange(listener_, nullptr)) listener->on_gone();
  if (status_ != 0) return abort();
  plugin_ = {};
  respond(core::to_head(problem), core::to_json(problem, outbound_.request.id));
}

// --- the request's body

void Exchange::grant(size_t bytes) {
  tell([bytes](Sender& sender) { sender.grant(bytes); });
}

void Exchange::receive(std::string piece, Ending ending) {
  if (self_ == nullptr) return;
  if (!piece.empty()) pieces_.push_back(std::move(piece));
  body_ending_ = ending;
  if (std::exchange(wants_body_, false) && listener_ != nullptr) listener_->on_body_ready();
}

core::BodyPiece Exchange::read_body() {
  if (!outbound_.has_body) return {core::ReadStatus::kEnd, {}};
  if (pieces_.empty()) {
    if (body_ending_ == Ending::kWhole) return {core::ReadStatus::kEnd, {}};
    if (body_ending_ == Ending::kBroken || sender_lost_) return {core::ReadStatus::kFailed, {}};
    // The first time it says that the request has been begun here, and is not given back to routing.
    if (!std::exchange(asked_, true)) grant(kWindow);
    wants_body_ = true;
    return {core::ReadStatus::kWait, {}};
  }
  current_ = std::move(pieces_.front());
  pieces_.pop_front();
  read_ += current_.size();
  if (read_ >= kPortion && body_ending_ == Ending::kNone) grant(std::exchange(read_, 0));
  return {core::ReadStatus::kData, current_};
}

// --- the answer

void Exchange::add_head(const core::ResponseHead& head, std::optional<uint64_t> length, bool body_follows) {
  const bool is_head = outbound_.request.method == "HEAD";
  status_ = head.status;
  body_allowed_ = http::status_has_body(head.status) && !is_head;
  const http::BodyFraming framing = http::framing_of(head, length, body_follows, is_head, false);
  if (framing == http::BodyFraming::kLength && body_allowed_) length_left_ = length;
  pending_.head = core::ResponseHead{.status = head.status,
                                     .headers = http::finished_headers({.head = head,
                                                                        .framing = framing,
                                                                        .length = length.value_or(0),
                                                                        .request_id = outbound_.request.id,
                                                                        .plugin = plugin_,
                                                                        .server = server_.server_header,
                                                                        .unix_seconds = loop_->unix_seconds()})};
  if (framing == http::BodyFraming::kLength) pending_.length = length;
}

void Exchange::flush(Ending ending) {
  if (!pending_.head && pending_.data.empty() && ending == Ending::kNone) return;
  pending_.ending = ending;
  tell([piece = std::exchange(pending_, {})](Sender& sender) mutable { sender.receive(std::move(piece)); });
}

void Exchange::respond(const core::ResponseHead& head, std::string_view body) {
  add_head(head, body.size(), false);
  if (body_allowed_) pending_.data = body;
  flush(Ending::kWhole);
  over();
}

void Exchange::start_response(const core::ResponseHead& head, std::optional<uint64_t> length) {
  add_head(head, length, true);
  loop_->at_end_of_turn(*this);
}

core::WriteStatus Exchange::write(std::string_view data) {
  if (sender_lost_) return core::WriteStatus::kGone;
  if (body_allowed_) {
    if (length_left_) {
      data = data.substr(0, std::min<uint64_t>(data.size(), *length_left_));
      *length_left_ -= data.size();
    }
    pending_.data += data;
    unread_ += data.size();
  }
  if (pending_.data.size() >= kLowWater) {
    flush(Ending::kNone);
  } else {
    loop_->at_end_of_turn(*this);
  }
  wants_writable_ = unread_ > kWindow;
  return wants_writable_ ? core::WriteStatus::kWait : core::WriteStatus::kReady;
}

void Exchange::acknowledge(size_t bytes) {
  unread_ -= std::min(bytes, unread_);
  if (unread_ > kLowWater || listener_ == nullptr) return;
  if (std::exchange(wants_writable_, false)) listener_->on_writable();
}

void Exchange::finish() {
  flush(length_left_.value_or(0) > 0 ? Ending::kBroken : Ending::kWhole);
  over();
}

void Exchange::abort() {
  flush(Ending::kBroken);
  over();
}

void Exchange::reroute() {
  tell([outbound = std::move(outbound_)](Sender& sender) mutable { sender.rerouted(std::move(outbound)); });
  listener_ = nullptr;
  const std::shared_ptr<Exchange> self = std::move(self_);
}

}  // namespace valor::loopback
