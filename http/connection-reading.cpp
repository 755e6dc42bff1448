// http::Connection: bytes from the client to requests and bodies.
#include <sys/socket.h>

#include <cerrno>

#include "http/connection-parts.h"
#include "http/connection.h"

namespace valor::http {

void Connection::start_idle() {
  const uint64_t timeout = shared_.limits.idle_timeout_ms;
  read_deadline_ = timeout == 0 ? 0 : loop_->now_ms() + timeout;
}

void Connection::receive() {
  switch (reading_) {
    case Reading::kHeads:
      receive_heads();
      return;
    case Reading::kBody: {
      Http1Exchange& exchange = *exchanges_.back();
      if (!exchange.wants_body_) {
        // Nobody reads: the client has to wait.
        read_paused_ = true;
        update_interest();
        return;
      }
      exchange.wants_body_ = false;
      // The client has done its part; how long the plug-in takes to read on is not its fault.
      read_deadline_ = 0;
      if (exchange.listener_ != nullptr) exchange.listener_->on_body_ready();
      return;
    }
    case Reading::kDiscarding:
      discard();
      return;
    case Reading::kNothing:
    case Reading::kLingering: {
      const ssize_t count = recv(fd_, loop_->scratch(), net::EventLoop::kScratchSize, 0);
      if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) kill();
      return;
    }
  }
}

void Connection::receive_heads() {
  char* buffer = loop_->scratch();
  const ssize_t count = recv(fd_, buffer, net::EventLoop::kScratchSize, 0);
  if (count <= 0) {
    // A client that closes its side has gone, as with most servers: what it asked for is not answered any more.
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) kill();
    return;
  }
  if (input_.empty()) {
    const std::string_view data(buffer, static_cast<size_t>(count));
    const size_t used = parse_heads(data);
    if (reading_ != Reading::kNothing) input_.assign(data.substr(used));
  } else {
    input_.append(buffer, static_cast<size_t>(count));
    input_used_ += parse_heads(std::string_view(input_).substr(input_used_));
  }
  if (!dead_) (void)proceed();
}

void Connection::begin_head() {
  if (incoming_ != nullptr) return;
  if (spare_.empty()) {
    incoming_ = std::make_unique<Http1Exchange>(*this);
  } else {
    incoming_ = std::move(spare_.back());
    spare_.pop_back();
  }
  parser_.emplace(shared_.limits);
  const uint64_t timeout = shared_.limits.header_timeout_ms;
  read_deadline_ = timeout == 0 ? 0 : loop_->now_ms() + timeout;
}

// Parses as many heads as there are. Returns how many bytes of `data` they took up.
size_t Connection::parse_heads(std::string_view data) {
  const size_t size = data.size();
  while (reading_ == Reading::kHeads && !data.empty()) {
    if (incoming_ == nullptr) {
      // RFC 9112 section 2.2: empty lines before a request line are read over.
      while (data.starts_with("\r\n")) data.remove_prefix(2);
      if (data.empty() || data == "\r") break;
      if (exchanges_.size() >= kMaxPipelined) break;
    }
    begin_head();
    size_t consumed = 0;
    Http1Exchange& exchange = *incoming_;
    const auto state = parser_->parse_head(data, exchange.request_, exchange.framing_, consumed);
    if (state == RequestParser::State::kIncomplete) break;
    if (state == RequestParser::State::kError) {
      refuse_input(parser_->error());
      return size;
    }
    data.remove_prefix(consumed);
    read_deadline_ = 0;
    if (shared_.log.keeps_access()) exchange.started_us_ = monotonic_us();
    exchange.state_ = Http1Exchange::State::kUnrouted;
    if (!exchange.framing_.keep_alive || shared_.draining) reading_ = Reading::kNothing;
    if (exchange.framing_.has_body) {
      reading_ = Reading::kBody;
      read_paused_ = false;
      continue_due_ = exchange.framing_.expects_continue;
    }
    exchanges_.push_back(std::move(incoming_));
  }
  return size - data.size();
}

// No request can be read from here on: says so in its turn, and closes.
void Connection::refuse_input(const ParseError& error) {
  Http1Exchange* exchange = nullptr;
  if (incoming_ != nullptr) {
    exchanges_.push_back(std::move(incoming_));
    exchange = exchanges_.back().get();
  } else {
    exchange = exchanges_.back().get();
    if (core::ExchangeListener* listener = std::exchange(exchange->listener_, nullptr)) listener->on_gone();
  }
  reading_ = Reading::kNothing;
  read_deadline_ = 0;
  exchange->framing_.keep_alive = false;
  if (exchange->head_sent_) {
    kill();
    return;
  }
  if (exchange->request_.id.empty()) shared_.handler.identify(exchange->request_, *loop_);
  exchange->state_ = Http1Exchange::State::kUnrouted;
  exchange->refusal_ = core::Problem{
      .status = error.status, .detail = error.detail, .limit = error.limit, .limit_value = error.limit_value};
  soon();
}

core::BodyPiece Connection::read_body(Http1Exchange& exchange) {
  if (dead_) return {core::ReadStatus::kFailed, {}};
  if (reading_ != Reading::kBody || exchanges_.back().get() != &exchange) {
    return {exchange.framing_.has_body && exchange.refusal_ ? core::ReadStatus::kFailed : core::ReadStatus::kEnd, {}};
  }
  if (continue_due_) {
    continue_due_ = false;
    if (input_used_ == input_.size() && !exchange.head_sent_) {
      output_of(exchange) += "HTTP/1.1 100 Continue\r\n\r\n";
      soon();
    }
  }
  if (input_used_ < input_.size()) {
    const core::BodyPiece piece = body_from(std::string_view(input_).substr(input_used_), true);
    if (piece.status != core::ReadStatus::kWait) return piece;
  }
  while (true) {
    char* buffer = loop_->scratch();
    const ssize_t count = recv(fd_, buffer, net::EventLoop::kScratchSize, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      const uint64_t timeout = shared_.limits.body_timeout_ms;
      read_deadline_ = timeout == 0 ? 0 : loop_->now_ms() + timeout;
      exchange.wants_body_ = true;
      read_paused_ = false;
      update_interest();
      return {core::ReadStatus::kWait, {}};
    }
    if (count <= 0) {
      kill();
      return {core::ReadStatus::kFailed, {}};
    }
    core::BodyPiece piece{};
    if (input_used_ < input_.size()) {
      input_.erase(0, std::exchange(input_used_, 0));
      input_.append(buffer, static_cast<size_t>(count));
      piece = body_from(input_, true);
    } else {
      piece = body_from({buffer, static_cast<size_t>(count)}, false);
    }
    if (piece.status != core::ReadStatus::kWait) return piece;
  }
}

// Decodes a piece of the body from `data`, the rest of input_ or bytes just received. kWait: there was none in it.
core::BodyPiece Connection::body_from(std::string_view data, bool from_input) {
  std::string_view piece;
  size_t consumed = 0;
  const auto state = parser_->parse_body(data, piece, consumed);
  if (state == RequestParser::State::kError) {
    refuse_input(parser_->error());
    return {core::ReadStatus::kFailed, {}};
  }
  if (from_input) {
    input_used_ += consumed;
    // A piece may lie in input_, so that stays as it is until the next call.
  } else {
    input_.assign(data.substr(consumed));
    input_used_ = 0;
  }
  if (state == RequestParser::State::kDone) {
    read_deadline_ = 0;
    continue_due_ = false;
    reading_ = exchanges_.empty() || exchanges_.back()->framing_.keep_alive ? Reading::kHeads : Reading::kNothing;
    soon();
    return piece.empty() ? core::BodyPiece{core::ReadStatus::kEnd, {}}
                         : core::BodyPiece{core::ReadStatus::kData, piece};
  }
  return piece.empty() ? core::BodyPiece{core::ReadStatus::kWait, {}} : core::BodyPiece{core::ReadStatus::kData, piece};
}

// Reads over a body that nobody wants.
void Connection::discard() {
  while (reading_ == Reading::kDiscarding) {
    std::string_view piece;
    size_t consumed = 0;
    if (input_used_ < input_.size()) {
      const auto state = parser_->parse_body(std::string_view(input_).substr(input_used_), piece, consumed);
      input_used_ += consumed;
      discarded_ += consumed;
      if (state == RequestParser::State::kError || discarded_ > kMaxDiscarded) {
        // Closes once the answer is out.
        reading_ = Reading::kNothing;
        read_deadline_ = 0;
        soon();
        return;
      }
      if (state == RequestParser::State::kDone) {
        reading_ = Reading::kHeads;
        start_idle();
        soon();
        return;
      }
    }
    const ssize_t count = recv(fd_, loop_->scratch(), net::EventLoop::kScratchSize, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      kill();
      return;
    }
    input_.erase(0, std::exchange(input_used_, 0));
    input_.append(loop_->scratch(), static_cast<size_t>(count));
  }
}

}  // namespace valor::http
