#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace valor::http {

namespace {

// Requests of one connection that may be under way; a client that pipelines more waits.
constexpr size_t kMaxPipelined = 64;
// Exchange objects kept for later requests.
constexpr size_t kMaxSpare = 16;
// How much of a body that nobody reads is swallowed to keep the connection; more closes it.
constexpr uint64_t kMaxDiscarded = 256 * 1024;
// Below this much unsent output, writers go on.
constexpr size_t kLowWater = 64 * 1024;
// Pieces from this size on go to the socket at once instead of through the output buffer.
constexpr size_t kWriteThrough = 16 * 1024;
// Buffers that grew beyond this are given back when they are empty.
constexpr size_t kKeptBuffer = 16 * 1024;
constexpr uint64_t kLingerMs = 2000;
// What access logs say where the client left before there was an answer; nginx began it.
constexpr uint16_t kClientClosedRequest = 499;
// An instance that has just ended may be in the routes for some moments more. The first new attempt is made at once,
// later ones after a pause; a request that no instance could take this often gets 503.
constexpr uint8_t kMaxReroutes = 20;
constexpr uint64_t kReroutePauseMs = 10;

uint64_t monotonic_us() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

void clear_buffer(std::string& buffer) {
  if (buffer.capacity() > kKeptBuffer) {
    buffer = std::string();
  } else {
    buffer.clear();
  }
}

}  // namespace

void Connection::open(int fd, net::EventLoop& home, Shared& shared) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  (new Connection(fd, home, shared))->arrive(home, nullptr);
}

Connection::Connection(int fd, net::EventLoop& home, Shared& shared)
    : loop_(&home), home_(home), shared_(shared), fd_(fd) {
  ++shared_.connections;
  start_idle();
}

Connection::~Connection() {
  if (watch_ != 0) loop_->unwatch(watch_, fd_);
  loop_->cancel_timer(retry_timer_);
  loop_->remove_resident(*this);
  loop_->forget(*this);
  ::close(fd_);
  --shared_.connections;
}

// ---- events

void Connection::on_events(uint32_t events) {
  if (dead_) return;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) {
    kill();
    return;
  }
  // Asked for only while nobody reads: what the client still has to say would come too late.
  if ((events & EPOLLRDHUP) != 0 && (events & EPOLLIN) == 0) {
    kill();
    return;
  }
  if ((events & EPOLLOUT) != 0) soon();
  if ((events & EPOLLIN) != 0) receive();
}

void Connection::on_turn_end() {
  if (!dead_) flush();
  if (!dead_) {
    if (proceed() == Whereabouts::kMoved) return;
    // Answers that came while proceeding.
    flush();
  }
  if (dead_) {
    delete this;
    return;
  }
  update_interest();
}

void Connection::on_tick() {
  if (dead_) return;
  const uint64_t now = loop_->now_ms();
  if (write_deadline_ != 0 && now >= write_deadline_) {
    kill();
    return;
  }
  const bool idle = reading_ == Reading::kHeads && exchanges_.empty() && incoming_ == nullptr && unsent() == 0;
  if (idle && shared_.draining) {
    kill();
    return;
  }
  if (read_deadline_ == 0 || now < read_deadline_) return;
  if (idle || reading_ == Reading::kLingering || reading_ == Reading::kDiscarding) {
    kill();
  } else if (reading_ == Reading::kHeads && incoming_ != nullptr) {
    refuse_input(
        {408, "the request's head did not come in time", "header_timeout_ms", shared_.limits.header_timeout_ms});
  } else if (reading_ == Reading::kBody) {
    refuse_input({408, "the request's body did not come in time", "body_timeout_ms", shared_.limits.body_timeout_ms});
  }
}

void Connection::on_evacuate() {
  if (dead_) return;
  const bool answering = std::any_of(exchanges_.begin(), exchanges_.end(), [](const auto& exchange) {
    return exchange->state_ == Http1Exchange::State::kAccepted;
  });
  if (answering || loop_ == &home_) {
    kill();
  } else {
    (void)move_to(home_, nullptr);
  }
}

// ---- reading

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

// ---- routing

// Takes up whatever can be taken up now: parsed requests, and unparsed bytes.
Connection::Whereabouts Connection::proceed() {
  // What has come already of a body that nobody wants: no event will tell of it.
  if (reading_ == Reading::kDiscarding && input_used_ < input_.size()) discard();
  while (true) {
    if (route_waiting() == Whereabouts::kMoved) return Whereabouts::kMoved;
    if (dead_ || reading_ != Reading::kHeads || input_used_ == input_.size()) break;
    if (exchanges_.size() >= kMaxPipelined) break;
    const size_t before = exchanges_.size();
    input_used_ += parse_heads(std::string_view(input_).substr(input_used_));
    if (exchanges_.size() == before) break;
  }
  if (dead_) return Whereabouts::kHere;
  if (input_used_ == input_.size() || reading_ == Reading::kNothing) {
    clear_buffer(input_);
    input_used_ = 0;
  } else if (reading_ == Reading::kHeads && input_used_ > 0) {
    input_.erase(0, std::exchange(input_used_, 0));
  }
  if (reading_ == Reading::kHeads) {
    read_paused_ = exchanges_.size() >= kMaxPipelined;
    if (exchanges_.empty() && incoming_ == nullptr && read_deadline_ == 0) start_idle();
  }
  if (reading_ == Reading::kNothing && exchanges_.empty() && unsent() == 0) linger();
  return Whereabouts::kHere;
}

Connection::Whereabouts Connection::route_waiting() {
  for (size_t i = 0; i < exchanges_.size() && !dead_;) {
    Http1Exchange& exchange = *exchanges_[i];
    if (exchange.state_ != Http1Exchange::State::kUnrouted) {
      ++i;
      continue;
    }
    if (exchange.retry_at_ms_ > loop_->now_ms()) {
      if (retry_timer_ == 0) {
        retry_timer_ = loop_->start_timer(exchange.retry_at_ms_ - loop_->now_ms(), [this] {
          retry_timer_ = 0;
          soon();
        });
      }
      return Whereabouts::kHere;
    }
    core::Problem problem{};
    net::Acceptor* acceptor = nullptr;
    if (exchange.refusal_) {
      problem = *exchange.refusal_;
    } else if (exchange.reroutes_ > kMaxReroutes) {
      problem = {.status = 503, .detail = "no instance of the plug-in could take the request", .retry_after_s = 1};
    } else {
      acceptor = shared_.handler.route(exchange.request_, *loop_, problem);
    }
    if (acceptor == nullptr) {
      // An answered exchange leaves the list when its elders are answered too.
      const size_t before = exchanges_.size();
      exchange.refuse(std::move(problem));
      if (exchanges_.size() == before) ++i;
      if (exchanges_.size() < before) i = 0;
      continue;
    }
    if (&acceptor->loop() == loop_) {
      exchange.state_ = Http1Exchange::State::kAccepted;
      acceptor->accept(exchange);
      // Nothing is known about the exchange now: it may have been answered or given back.
      if (i < exchanges_.size() && exchanges_[i].get() == &exchange) {
        if (exchange.state_ != Http1Exchange::State::kUnrouted) ++i;
      } else {
        i = 0;
      }
      continue;
    }
    const bool first = i == 0;
    if (!first) {
      acceptor->release();
      return Whereabouts::kHere;  // moves when its elders are answered
    }
    if (move_to(acceptor->loop(), acceptor->shared_from_this()) == Whereabouts::kMoved) return Whereabouts::kMoved;
  }
  return Whereabouts::kHere;
}

// With an acceptor, the first exchange is for it. kHere: that loop is closed; the place is given up.
Connection::Whereabouts Connection::move_to(net::EventLoop& loop, std::shared_ptr<net::Acceptor> acceptor) {
  net::EventLoop& from = *loop_;
  from.cancel_timer(std::exchange(retry_timer_, 0));
  from.unwatch(std::exchange(watch_, 0), fd_);
  from.remove_resident(*this);
  from.forget(*this);
  if (loop.post([this, &loop, acceptor] { arrive(loop, acceptor.get()); })) return Whereabouts::kMoved;
  if (acceptor != nullptr) {
    acceptor->release();
    retry_later(*exchanges_.front());
    arrive(from, nullptr);
    return Whereabouts::kHere;
  }
  // The home loop is closed: the server ends.
  dead_ = true;
  from.at_end_of_turn(*this);
  return Whereabouts::kHere;
}

void Connection::retry_later(Http1Exchange& exchange) {
  if (++exchange.reroutes_ > 1) exchange.retry_at_ms_ = loop_->now_ms() + kReroutePauseMs;
  soon();
}

void Connection::arrive(net::EventLoop& loop, net::Acceptor* acceptor) {
  loop_ = &loop;
  loop_->add_resident(*this);
  interest_ = EPOLLIN;
  watch_ = loop_->watch(fd_, interest_, *this);
  soon();
  if (watch_ == 0) {
    if (acceptor != nullptr) acceptor->release();
    kill();
    return;
  }
  if (acceptor == nullptr) return;
  Http1Exchange& exchange = *exchanges_.front();
  exchange.state_ = Http1Exchange::State::kAccepted;
  acceptor->accept(exchange);
}

// ---- writing

std::string& Connection::output_of(Http1Exchange& exchange) {
  return exchanges_.front().get() == &exchange ? output_ : exchange.held_back_;
}

void Connection::write_through(Http1Exchange& exchange, std::string_view data) {
  const bool oldest = exchanges_.front().get() == &exchange;
  if (oldest && data.size() >= kWriteThrough && !dead_) {
    flush();
    if (dead_) return;
    if (unsent() == 0) {
      const ssize_t count = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (count > 0) data.remove_prefix(static_cast<size_t>(count));
    }
  }
  output_of(exchange).append(data);
  soon();
}

// Whether the connection must close behind this answer.
bool Connection::closes_after(const Http1Exchange& exchange) const {
  if (!exchange.framing_.keep_alive || shared_.draining) return true;
  const bool youngest = exchanges_.back().get() == &exchange;
  if (!youngest || reading_ != Reading::kBody) return false;
  // The body has not been read. A client that waits for 100 (Continue) may or may not send it, and one that sends more
  // than can be read over would keep the connection busy.
  return continue_due_ || exchange.framing_.content_length.value_or(0) > kMaxDiscarded;
}

void Connection::exchange_done(Http1Exchange& exchange) {
  const bool youngest = exchanges_.back().get() == &exchange;
  if (youngest && (reading_ == Reading::kBody || !exchange.framing_.keep_alive)) {
    if (!exchange.framing_.keep_alive) {
      reading_ = Reading::kNothing;
    } else {
      reading_ = Reading::kDiscarding;
      discarded_ = 0;
      read_paused_ = false;
    }
    const uint64_t timeout = shared_.limits.body_timeout_ms;
    read_deadline_ = reading_ == Reading::kNothing || timeout == 0 ? 0 : loop_->now_ms() + timeout;
  } else if (!exchange.framing_.keep_alive) {
    // Closes although requests were read after it, which happens when the server drains: the client repeats them.
    reading_ = Reading::kNothing;
  }
  pop_done();
  soon();
}

void Connection::pop_done() {
  while (!exchanges_.empty() && exchanges_.front()->state_ == Http1Exchange::State::kDone) {
    std::unique_ptr<Http1Exchange> exchange = std::move(exchanges_.front());
    exchanges_.erase(exchanges_.begin());
    log_access(*exchange);
    const bool last = !exchange->framing_.keep_alive;
    if (spare_.size() < kMaxSpare) {
      exchange->reset();
      clear_buffer(exchange->held_back_);
      spare_.push_back(std::move(exchange));
    }
    if (last) {
      for (auto& younger : exchanges_) {
        if (core::ExchangeListener* listener = std::exchange(younger->listener_, nullptr)) listener->on_gone();
      }
      exchanges_.clear();
      return;
    }
    if (!exchanges_.empty()) {
      Http1Exchange& next = *exchanges_.front();
      output_ += next.held_back_;
      clear_buffer(next.held_back_);
    }
  }
}

void Connection::log_access(const Http1Exchange& exchange) {
  if (!shared_.log.keeps_access()) return;
  const core::Request& request = exchange.request_;
  shared_.log.access({.method = request.method,
                      .target = request.target,
                      .status = exchange.status_ == 0 ? kClientClosedRequest : exchange.status_,
                      .plugin = exchange.plugin_,
                      .request_id = request.id,
                      .microseconds = exchange.started_us_ == 0 ? 0 : monotonic_us() - exchange.started_us_});
}

void Connection::flush() {
  while (output_sent_ < output_.size()) {
    const ssize_t count = send(fd_, output_.data() + output_sent_, unsent(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      break;
    }
    if (count < 0) {
      kill();
      return;
    }
    output_sent_ += static_cast<size_t>(count);
    write_deadline_ = 0;
  }
  if (unsent() == 0) {
    output_sent_ = 0;
    write_deadline_ = 0;
    clear_buffer(output_);
  } else {
    if (output_sent_ > kLowWater) output_.erase(0, std::exchange(output_sent_, 0));
    const uint64_t timeout = shared_.limits.body_timeout_ms;
    if (write_deadline_ == 0 && timeout != 0) write_deadline_ = loop_->now_ms() + timeout;
  }
  if (!exchanges_.empty() && unsent() < kLowWater) {
    Http1Exchange& oldest = *exchanges_.front();
    if (std::exchange(oldest.wants_writable_, false) && oldest.listener_ != nullptr) oldest.listener_->on_writable();
  }
}

void Connection::update_interest() {
  if (watch_ == 0 || dead_) return;
  const bool input = !read_paused_;
  const uint32_t wanted = (input ? EPOLLIN : EPOLLRDHUP) | (unsent() > 0 ? EPOLLOUT : 0u);
  if (wanted == interest_) return;
  interest_ = wanted;
  loop_->change(watch_, fd_, wanted);
}

// ---- ending

// Closing at once, with bytes of the client unread, would reset the connection, and the client might lose the answer.
void Connection::linger() {
  if (reading_ == Reading::kLingering) return;
  reading_ = Reading::kLingering;
  read_paused_ = false;
  input_.clear();
  input_used_ = 0;
  shutdown(fd_, SHUT_WR);
  read_deadline_ = loop_->now_ms() + kLingerMs;
  soon();
}

void Connection::reset() {
  flush();
  const ::linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  kill();
}

// Ends the connection; the object goes at the end of the turn.
void Connection::kill() {
  if (dead_) return;
  dead_ = true;
  for (auto& exchange : exchanges_) {
    if (core::ExchangeListener* listener = std::exchange(exchange->listener_, nullptr)) listener->on_gone();
    if (exchange->state_ == Http1Exchange::State::kAccepted) log_access(*exchange);
  }
  soon();
}

}  // namespace valor::http
