// The end of a request where it comes from: what a Transfer stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "loopback/exchange.h"
#include "loopback/transfer.h"

namespace valor::loopback {

/// On the loop of its client, inside the turn. Owned by its Transfer.
class Sender final : public std::enable_shared_from_this<Sender> {
 public:
  Sender(Client& client, const client::ClientRequest& request, std::string target, uint8_t hops,
         client::TransferListener& listener);

  // --- from the client ---

  /// Its turn has come: it is routed.
  void begin();
  void cancel();
  /// Sends on of the request's body what may be sent.
  void pump();
  void resume_download();

  // --- from the exchange ---

  /// So many bytes more of the body may be sent.
  void grant(size_t bytes);
  void receive(Inbound piece);
  /// The instance ended before it began with the request.
  void rerouted(Outbound outbound);

 private:
  void route();
  void route_again();
  /// The server answers in the place of a plug-in.
  void refuse(core::Problem problem);
  void deliver();
  void fail(const char* why);
  /// It is over; its place is free. Returns the listener, which hears one more thing at most.
  client::TransferListener* end();
  template <class Message>
  bool tell(Message message);

  Client& client_;
  client::TransferListener* listener_;  // nullptr: over
  Outbound outbound_;
  const uint8_t hops_;
  bool begun_ = false;
  unsigned reroutes_ = 0;
  net::EventLoop::TimerId retry_timer_ = 0;
  std::shared_ptr<net::Acceptor> acceptor_;
  std::shared_ptr<Exchange> exchange_;

  int64_t granted_ = 0;  // below 0: a piece was larger than what was left
  uint64_t sent_ = 0;
  bool upload_over_ = false;

  std::deque<std::string> unread_;  // of the answer; the first from unread_at_ on
  size_t unread_at_ = 0;
  size_t read_ = 0;  // bytes, since the exchange was last told
  bool paused_ = false;
  Ending ending_ = Ending::kNone;
};

}  // namespace valor::loopback
