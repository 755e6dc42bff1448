// The network of one instance: client::CurlClient on the instance's loop, or memory (loopback/) where the server itself
// is asked. What may be reached is up to the operator (core/net-rules.h); a request through it is one exchange with one
// server, and redirects and other rules of fetch are its user's.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

#include "client/curl-client.h"
#include "host/guest.h"
#include "http/handler.h"
#include "loopback/transfer.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::outgoing {

class InstanceNetwork final : public Network {
 public:
  /// Of one instance: a million fetches must not take all file descriptors from the others. What browsers allow.
  static constexpr size_t kMaxConnections = 256;
  /// More than any server takes, and what libcurl puts together in memory: URL, headers, and 32 bytes for each header.
  static constexpr size_t kMaxHeadBytes = 256 * 1024;

  /// `server`: whose plug-ins are reached in memory; nullptr: there are no others. Both outlive this.
  InstanceNetwork(host::GuestContext& context, http::Shared* server) : context_(context), server_(server) {}
  ~InstanceNetwork() override;

  std::optional<Url> parse(std::string_view url, std::string_view base) const override;
  std::unique_ptr<Sending> send(client::ClientRequest request, unsigned hops,
                                client::TransferListener& listener) override;

 private:
  class Transmission;

  /// In memory, where that is this server and may be reached. Returns whether it is.
  bool send_inside(Transmission& transmission, const client::ClientRequest& request, unsigned hops);
  /// Over the network; "" or why not.
  std::optional<client::TransferFailure> send_outside(Transmission& transmission, client::ClientRequest request);
  /// Hands the request to the client. "" or why that is impossible.
  std::string begin(Transmission& transmission, const client::ClientRequest& request);
  /// One of those that the client has is over.
  void give_place();
  void begin_waiting();

  host::GuestContext& context_;
  http::Shared* const server_;
  std::unique_ptr<client::CurlClient> client_;
  std::unique_ptr<loopback::Client> inside_;
  size_t active_ = 0;  // the client has them
  std::list<Transmission*> waiting_;
  net::EventLoop::TimerId waiting_timer_ = 0;
};

/// Opens the network for instances of any kind. `server` as above.
OpenNetwork network_of(http::Shared* server);

}  // namespace valor::plugins::outgoing
