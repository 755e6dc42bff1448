#include "loopback/sender.h"

#include <algorithm>
#include <utility>

#include "http/connection-parts.h"
#include "http/response-head.h"

namespace valor::loopback {

namespace {

// As http::Connection does it: an instance that has just ended may be in the routes for some moments more.
constexpr unsigned kMaxReroutes = 20;
constexpr uint64_t kReroutePauseMs = 10;

// "http", "127.0.0.1:8080" of "http://127.0.0.1:8080/path"
void read_origin(std::string_view url, core::Request& request) {
  const size_t colon = url.find("://");
  request.scheme = url.substr(0, colon);
  std::string_view rest = url.substr(std::min(url.size(), colon + 3));
  request.authority = rest.substr(0, rest.find_first_of("/?"));
}

// What the server's limits say about a head that comes from outside.
std::optional<core::Problem> check(const http::Limits& limits, const core::Request& request) {
  const auto problem = [](uint16_t status, const char* detail, const char* limit, size_t value) {
    return core::Problem{.status = status, .detail = detail, .limit = limit, .limit_value = value};
  };
  const size_t line = request.method.size() + request.target.size();
  if (line > limits.request_line_bytes) {
    return problem(414, "the request line is too long", "request_line_bytes", limits.request_line_bytes);
  }
  size_t bytes = line;
  for (const core::HeaderList::Header header : request.headers) bytes += header.name.size() + header.value.size() + 4;
  if (bytes > limits.header_bytes) {
    return problem(431, "the request's head is too large", "header_bytes", limits.header_bytes);
  }
  if (request.headers.size() > limits.header_count) {
    return problem(431, "the request has too many headers", "header_count", limits.header_count);
  }
  return std::nullopt;
}

core::Problem body_too_large(const http::Limits& limits) {
  return {.status = 413,
          .detail = "the request's body is too large",
          .limit = "body_bytes",
          .limit_value = limits.body_bytes};
}

}  // namespace

Sender::Sender(Client& client, const client::ClientRequest& request, std::string target, uint8_t hops,
               client::TransferListener& listener)
    : client_(client), listener_(&listener), hops_(hops) {
  core::Request& own = outbound_.request;
  own.method = request.method;
  own.target = std::move(target);
  own.hops = hops;
  read_origin(request.url, own);
  if (std::optional<std::string_view> host = request.headers.get("host")) {
    own.authority = *host;
  } else {
    own.headers.append("host", own.authority);
  }
  for (const core::HeaderList::Header header : request.headers) own.headers.append(header.name, header.value);
  outbound_.has_body = request.has_body;
  outbound_.content_length = request.content_length;
  if (request.has_body && request.content_length) {
    own.headers.set("content-length", std::to_string(*request.content_length));
  }
  upload_over_ = !request.has_body;
  if (client.server_.log.keeps_access()) outbound_.started_us = http::monotonic_us();
}

// Calls message(exchange) on the exchange's loop.
template <class Message>
bool Sender::tell(Message message) {
  return exchange_ != nullptr &&
         acceptor_->loop().post([exchange = exchange_, message = std::move(message)]() mutable { message(*exchange); });
}

void Sender::begin() {
  begun_ = true;
  const http::Limits& limits = client_.server_.limits;
  if (hops_ > kMaxHops) {
    return refuse({.status = 508,
                   .detail = "the request was passed on from plug-in to plug-in more than " + std::to_string(kMaxHops) +
                             " times; it goes round in circles"});
  }
  if (std::optional<core::Problem> problem = check(limits, outbound_.request)) return refuse(std::move(*problem));
  if (outbound_.content_length.value_or(0) > limits.body_bytes) return refuse(body_too_large(limits));
  route();
}

void Sender::route() {
  http::Shared& server = client_.server_;
  core::Problem problem{};
  net::Acceptor* acceptor = server.handler.route(outbound_.request, client_.loop_, problem);
  if (acceptor == nullptr) return refuse(std::move(problem));
  acceptor_ = acceptor->shared_from_this();
  exchange_ = std::make_shared<Exchange>(server, client_.caller_, client_.postbox_, weak_from_this(),
                                         std::exchange(outbound_, {}));
  if (tell([acceptor = acceptor_](Exchange& exchange) { exchange.arrive(*acceptor); })) return;
  acceptor->release();
  rerouted(exchange_->take_back());
}

void Sender::rerouted(Outbound outbound) {
  if (listener_ == nullptr) return;
  outbound_ = std::move(outbound);
  exchange_.reset();
  acceptor_.reset();
  if (++reroutes_ > kMaxReroutes) {
    return refuse({.status = 503, .detail = "no instance of the plug-in could take the request", .retry_after_s = 1});
  }
  retry_timer_ = client_.loop_.start_timer(reroutes_ > 1 ? kReroutePauseMs : 0, [self = weak_from_this()] {
    if (const std::shared_ptr<Sender> sender = self.lock()) sender->route_again();
  });
}

void Sender::route_again() {
  retry_timer_ = 0;
  if (listener_ != nullptr) route();
}

void Sender::refuse(core::Problem problem) {
  if (outbound_.request.id.empty()) client_.server_.handler.identify(outbound_.request, client_.loop_);
  upload_over_ = true;
  Inbound answer;
  const core::ResponseHead head = core::to_head(problem);
  std::string body = core::to_json(problem, outbound_.request.id);
  answer.length = body.size();
  answer.head = core::ResponseHead{.status = head.status,
                                   .headers = http::finished_headers({.head = head,
                                                                      .framing = http::BodyFraming::kLength,
                                                                      .length = body.size(),
                                                                      .request_id = outbound_.request.id,
                                                                      .plugin = problem.plugin,
                                                                      .server = client_.server_.server_header,
                                                                      .unix_seconds = client_.loop_.unix_seconds()})};
  if (outbound_.request.method != "HEAD") answer.data = std::move(body);
  answer.ending = Ending::kWhole;
  log_access(client_.server_, client_.caller_, outbound_, head.status, problem.plugin);
  // Never from within start().
  client_.postbox_->post([self = weak_from_this(), answer = std::move(answer)]() mutable {
    if (const std::shared_ptr<Sender> sender = self.lock()) sender->receive(std::move(answer));
  });
}

client::TransferListener* Sender::end() {
  if (listener_ == nullptr) return nullptr;
  client_.loop_.cancel_timer(std::exchange(retry_timer_, 0));
  client::TransferListener* listener = std::exchange(listener_, nullptr);
  upload_over_ = true;
  exchange_.reset();
  acceptor_.reset();
  if (begun_) client_.leave(hops_);
  return listener;
}

void Sender::cancel() {
  if (listener_ == nullptr) return;
  tell([](Exchange& exchange) { exchange.sender_gone(); });
  end();
}

void Sender::fail(const char* why) {
  if (client::TransferListener* listener = end()) {
    listener->on_failed({client::TransferFailure::Kind::kBroken, why, "ECONNRESET"});
  }
}

// --- the request's body

void Sender::grant(size_t bytes) {
  granted_ += static_cast<int64_t>(bytes);
  pump();
}

void Sender::pump() {
  const std::shared_ptr<Sender> self = shared_from_this();
  while (!upload_over_ && granted_ > 0) {
    const core::BodyPiece piece = listener_->read_body();
    if (upload_over_ || piece.status == core::ReadStatus::kWait) return;
    if (piece.status != core::ReadStatus::kData) {
      upload_over_ = true;
      const Ending ending = piece.status == core::ReadStatus::kEnd ? Ending::kWhole : Ending::kBroken;
      tell([ending](Exchange& exchange) { exchange.receive({}, ending); });
      return;
    }
    sent_ += piece.data.size();
    granted_ -= static_cast<int64_t>(piece.data.size());
    if (sent_ > client_.server_.limits.body_bytes) {
      upload_over_ = true;
      tell([problem = body_too_large(client_.server_.limits)](Exchange& exchange) { exchange.refuse(problem); });
      return;
    }
    tell([data = std::string(piece.data)](Exchange& exchange) mutable {
      exchange.receive(std::move(data), Ending::kNone);
    });
  }
}

// --- the answer

void Sender::receive(Inbound piece) {
  const std::shared_ptr<Sender> self = shared_from_this();
  if (listener_ == nullptr) return;
  if (piece.head) {
    const std::string_view reason = core::status_text(piece.head->status);
    listener_->on_head(std::move(*piece.head), piece.length, reason);
  }
  if (!piece.data.empty()) unread_.push_back(std::move(piece.data));
  ending_ = piece.ending;
  deliver();
}

void Sender::resume_download() {
  if (!std::exchange(paused_, false)) return;
  deliver();
}

void Sender::deliver() {
  const std::shared_ptr<Sender> self = shared_from_this();
  while (listener_ != nullptr && !paused_ && !unread_.empty()) {
    const std::string_view slice = std::string_view(unread_.front()).substr(unread_at_, kSlice);
    const core::WriteStatus status = listener_->on_data(slice);
    if (listener_ == nullptr) return;
    read_ += slice.size();
    unread_at_ += slice.size();
    if (unread_at_ == unread_.front().size()) {
      unread_.pop_front();
      unread_at_ = 0;
    }
    paused_ = status == core::WriteStatus::kWait;
    if (status == core::WriteStatus::kGone) return cancel();
  }
  if (listener_ == nullptr) return;
  if (read_ >= kPortion && ending_ == Ending::kNone) {
    tell([bytes = std::exchange(read_, 0)](Exchange& exchange) { exchange.acknowledge(bytes); });
  }
  if (!unread_.empty() || ending_ == Ending::kNone) return;
  if (ending_ == Ending::kBroken) return fail("the plug-in's answer broke off");
  if (client::TransferListener* listener = end()) listener->on_end();
}

}  // namespace valor::loopback
