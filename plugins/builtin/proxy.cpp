#include "plugins/builtin/proxy.h"

#include <algorithm>
#include <utility>

#include "plugins/builtin/answers.h"

namespace valor::plugins::builtin {

using client::ClientRequest;
using client::CurlClient;
using client::Transfer;
using client::TransferFailure;
using client::TransferListener;

// One call and the request to the upstream that belongs to it. Every method that ends the call ends with forget(),
// which destroys this object.
class Proxy::Forward final : public TransferListener {
 public:
  Forward(Proxy& proxy, host::CallId id) : proxy_(proxy), id_(id) {}

  void start(host::Call& call, std::string target) {
    const core::Request& request = call.request();
    is_head_ = request.method == "HEAD";
    ClientRequest forwarded{
        .method = request.method,
        .url = proxy_.upstream_.origin,
        .target = std::move(target),
        .headers = forward_request_headers(request, proxy_.rules_),
        .has_body = call.has_body(),
        .content_length = call.content_length(),
        .connect_timeout_ms = proxy_.timeout_ms_,
        .response_timeout_ms = proxy_.timeout_ms_,
    };
    // These methods mean to send something; then an empty body is said to be one (RFC 9110 section 8.6).
    const bool means_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (means_body && !forwarded.has_body) forwarded.headers.append("content-length", "0");
    core::Result<Transfer> transfer = proxy_.client_->start(forwarded, *this);
    if (!transfer) return on_failed({TransferFailure::Kind::kBroken, transfer.error().message});
    transfer_ = std::move(transfer).value();
  }

  void resume_upload() { transfer_.resume_upload(); }
  void resume_download() { transfer_.resume_download(); }

  void on_head(core::ResponseHead head, std::optional<uint64_t> length, std::string_view) override {
    host::Call* call = proxy_.context_.find(id_);
    if (call == nullptr) return forget();
    head.headers = forward_response_headers(head.headers);
    left_ = length;
    if (head.status == 204 || head.status == 304) {
      call->respond(head, {});
      // The transfer still ends by itself, so that the connection to the upstream can be used again.
      if (!transfer_.upload_done()) forget();
      return;
    }
    Proxy& proxy = proxy_;
    const host::CallId id = id_;
    call->start_response(head, length);
    if (length == uint64_t{0} && proxy.forwards_.contains(id)) end_early();
  }

  core::WriteStatus on_data(std::string_view data) override {
    host::Call* call = proxy_.context_.find(id_);
    if (call == nullptr || is_head_) return core::WriteStatus::kGone;
    if (left_) *left_ -= std::min<uint64_t>(*left_, data.size());
    // Writing may find that the client has left, and drop this object.
    Proxy& proxy = proxy_;
    const host::CallId id = id_;
    const core::WriteStatus status = call->write(data);
    if (!proxy.forwards_.contains(id)) return core::WriteStatus::kGone;
    if (status != core::WriteStatus::kGone && left_ == uint64_t{0}) {
      end_early();
      return proxy.forwards_.contains(id) ? status : core::WriteStatus::kGone;
    }
    return status;
  }

  core::BodyPiece read_body() override {
    host::Call* call = proxy_.context_.find(id_);
    if (call == nullptr) return {core::ReadStatus::kFailed, {}};
    return call->read_body();
  }

  void on_end() override {
    host::Call* call = proxy_.context_.find(id_);
    if (call != nullptr) call->finish();
    forget();
  }

  void on_failed(TransferFailure failure) override {
    host::Call* call = proxy_.context_.find(id_);
    if (call == nullptr) return forget();
    // The client is not told what stands behind this server; the operator is.
    proxy_.context_.log().write(core::LogLevel::kWarn, proxy_.context_.definition().name,
                                proxy_.upstream_.origin + ": " + failure.message);
    if (call->response_started()) {
      call->abort();
      return forget();
    }
    switch (failure.kind) {
      case TransferFailure::Kind::kConnect:
      case TransferFailure::Kind::kRefused:
        call->fail({.status = 502, .detail = "the upstream server cannot be reached"});
        break;
      case TransferFailure::Kind::kTimeout:
        call->fail({.status = 504, .detail = "the upstream server did not answer in time"});
        break;
      case TransferFailure::Kind::kBroken:
        call->fail({.status = 502, .detail = "the upstream server broke off or sent no valid response"});
        break;
      case TransferFailure::Kind::kBody:
        call->fail({.status = 400, .detail = "the request's body broke off"});
        break;
    }
    forget();
  }

 private:
  // An upstream may answer without reading the whole request; the client need not send the rest to get the end.
  void end_early() {
    if (transfer_.upload_done()) return;
    if (host::Call* call = proxy_.context_.find(id_)) call->finish();
    forget();
  }

  void forget() { proxy_.forwards_.erase(id_); }

  Proxy& proxy_;
  const host::CallId id_;
  bool is_head_ = false;
  std::optional<uint64_t> left_;
  Transfer transfer_;
};

Proxy::Proxy(host::GuestContext& context) : context_(context) {}
Proxy::~Proxy() = default;

void Proxy::start() {
  ConfigReader config(context_.definition().config);
  const std::string url = config.string("upstream", "");
  rules_.preserve_host = config.boolean("preserve_host", false);
  rules_.trust_forwarded = config.boolean("trust_forwarded", false);
  timeout_ms_ = config.number("timeout_ms", 30'000, 1, 86'400'000);
  const core::Status read = config.finish();
  if (!read) return context_.start_failed(read.error().message);
  if (url.empty()) {
    return context_.start_failed("config.upstream: is missing; expected a URL like http://127.0.0.1:9000/base");
  }
  core::Result<Upstream> upstream = parse_upstream(url);
  if (!upstream) return context_.start_failed("config.upstream: " + upstream.error().message);
  upstream_ = std::move(upstream).value();
  auto client = CurlClient::create(context_.loop());
  if (!client) return context_.start_failed(client.error().message);
  client_ = std::move(client).value();
  context_.ready();
}

void Proxy::handle(host::Call& call) {
  const core::Request& request = call.request();
  if (request.method == "CONNECT") return respond_problem(context_, call, 501, "this proxy makes no tunnels");
  if (is_looping(request)) {
    return respond_problem(context_, call, 508, "the request goes round in circles; the upstream leads back here");
  }
  std::string target = upstream_target(upstream_, request.url);
  if (target.empty()) return respond_problem(context_, call, 400, "the path cannot be forwarded");
  const host::CallId id = call.id();
  Forward& forward = *(forwards_[id] = std::make_unique<Forward>(*this, id));
  forward.start(call, std::move(target));
}

void Proxy::body_ready(host::Call& call) {
  auto forward = forwards_.find(call.id());
  if (forward != forwards_.end()) forward->second->resume_upload();
}

void Proxy::writable(host::Call& call) {
  auto forward = forwards_.find(call.id());
  if (forward != forwards_.end()) forward->second->resume_download();
}

void Proxy::dropped(host::CallId id, host::DropReason) {
  forwards_.erase(id);
}

}  // namespace valor::plugins::builtin
