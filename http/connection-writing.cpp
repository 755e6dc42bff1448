// http::Connection: answers to bytes, in the order of their requests.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "http/connection-parts.h"
#include "http/connection.h"

namespace valor::http {

namespace {

// Exchange objects kept for later requests.
constexpr size_t kMaxSpare = 16;
// Below this much unsent output, writers go on.
constexpr size_t kLowWater = 64 * 1024;
// Pieces from this size on go to the socket at once instead of through the output buffer.
constexpr size_t kWriteThrough = 16 * 1024;

}  // namespace

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

}  // namespace valor::http
