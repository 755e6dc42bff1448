#include "host/open-call.h"

#include "host/instance.h"

namespace valor::host {

core::BodyPiece OpenCall::read_body() {
  // The exchange may end while it reads (the client broke off); this object lives on until the guest has heard of it.
  if (exchange_ == nullptr) return {core::ReadStatus::kFailed, {}};
  return exchange_->read_body();
}

core::Exchange& OpenCall::close() {
  core::Exchange& exchange = *exchange_;
  exchange.set_listener(nullptr);
  instance_.close_call(*this);
  return exchange;
}

void OpenCall::count(uint16_t status) {
  PluginCounters& counters = *instance_.plugin().counters;
  counters.requests.fetch_add(1, std::memory_order_relaxed);
  if (status >= 500) counters.failures.fetch_add(1, std::memory_order_relaxed);
}

void OpenCall::respond(const core::ResponseHead& head, std::string_view body) {
  if (exchange_ == nullptr) return;
  count(head.status);
  close().respond(head, body);
}

void OpenCall::start_response(const core::ResponseHead& head, std::optional<uint64_t> length) {
  if (exchange_ == nullptr) return;
  response_started_ = true;
  status_ = head.status;
  exchange_->start_response(head, length);
}

core::WriteStatus OpenCall::write(std::string_view data) {
  if (exchange_ == nullptr) return core::WriteStatus::kGone;
  return exchange_->write(data);
}

void OpenCall::finish() {
  if (exchange_ == nullptr) return;
  count(status_);
  close().finish();
}

void OpenCall::abort() {
  if (exchange_ == nullptr) return;
  count(500);
  close().abort();
}

void OpenCall::fail(core::Problem problem) {
  if (exchange_ == nullptr) return;
  if (response_started_) {
    abort();
    return;
  }
  problem.plugin = instance_.definition().name;
  const core::ResponseHead head = core::to_head(problem);
  respond(head, core::to_json(problem, exchange_->request().id));
}

void OpenCall::on_body_ready() {
  body_ready_ = true;
  signal();
}

void OpenCall::on_writable() {
  writable_ = true;
  signal();
}

void OpenCall::signal() {
  if (signalled_) return;
  signalled_ = true;
  instance_.signals_.push_back(id_);
}

void OpenCall::on_gone() {
  exchange_ = nullptr;
  count(0);
  if (given_) instance_.dropped_.push_back({id_, DropReason::kClientGone});
  instance_.close_call(*this);
}

}  // namespace valor::host
