// http::Connection: its life, and where its requests go. What it reads and writes: connection-reading.cpp,
// connection-writing.cpp.
#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "http/connection-parts.h"

namespace valor::http {

namespace {

constexpr uint64_t kLingerMs = 2000;
// An instance that has just ended may be in the routes for some moments more. The first new attempt is made at once,
// later ones after a pause; a request that no instance could take this often gets 503.
constexpr uint8_t kMaxReroutes = 20;
constexpr uint64_t kReroutePauseMs = 10;

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
