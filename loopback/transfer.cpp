#include "loopback/transfer.h"

#include <algorithm>
#include <utility>

#include "loopback/sender.h"

namespace valor::loopback {

namespace {

// Of one instance, for each depth: a million fetches must not fill the queues of other plug-ins. As many as over the
// network.
constexpr size_t kMaxActive = 256;

}  // namespace

Transfer::~Transfer() {
  if (sender_ != nullptr) sender_->cancel();
}

void Transfer::resume_upload() {
  if (const std::shared_ptr<Sender> sender = sender_) sender->pump();
}

void Transfer::resume_download() {
  if (const std::shared_ptr<Sender> sender = sender_) sender->resume_download();
}

Client::Client(net::EventLoop& loop, http::Shared& server, std::string caller)
    : loop_(loop), server_(server), caller_(std::move(caller)), postbox_(std::make_shared<net::Postbox>(loop)) {}

Client::~Client() {
  postbox_->close();
}

Transfer Client::start(const client::ClientRequest& request, std::string target, uint8_t hops,
                       client::TransferListener& listener) {
  auto sender = std::make_shared<Sender>(*this, request, std::move(target), hops, listener);
  Lane& lane = lanes_[std::min(hops, kMaxHops)];
  if (lane.active < kMaxActive) {
    ++lane.active;
    sender->begin();
  } else {
    lane.waiting.push_back(sender);
  }
  return Transfer(std::move(sender));
}

void Client::leave(uint8_t hops) {
  Lane& lane = lanes_[std::min(hops, kMaxHops)];
  while (!lane.waiting.empty()) {
    const std::shared_ptr<Sender> next = lane.waiting.front().lock();
    lane.waiting.pop_front();
    if (next == nullptr) continue;
    next->begin();
    return;
  }
  --lane.active;
}

}  // namespace valor::loopback
