// What a plug-in fetches from another plug-in of its own server: the same routing, rules and bounds as for a request
// from outside, but no socket and no bytes of HTTP. To the caller it looks like client/curl-client.h.
//
// A request has two ends, each on an event loop of its own: a Sender on that of the caller, an Exchange on that of the
// instance that answers. They tell each other everything through the queues of the loops. In each direction at most
// kWindow bytes of a body are under way; more is asked for as they are read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/curl-client.h"
#include "http/handler.h"
#include "net/postbox.h"

namespace valor::loopback {

class Sender;

/// How often a request may be passed on from plug-in to plug-in; more is a circle, and gets 508.
inline constexpr uint8_t kMaxHops = 16;

/// A request on its way, inside the turn of the caller's loop. Destroying it cancels; the listener hears nothing more.
class Transfer {
 public:
  Transfer() = default;
  explicit Transfer(std::shared_ptr<Sender> sender) : sender_(std::move(sender)) {}
  ~Transfer();
  Transfer(Transfer&& other) noexcept : sender_(std::exchange(other.sender_, nullptr)) {}
  Transfer& operator=(Transfer&& other) noexcept {
    std::swap(sender_, other.sender_);
    return *this;
  }

  void resume_upload();
  void resume_download();

 private:
  std::shared_ptr<Sender> sender_;
};

/// The requests of one instance. On its loop, inside its turn; destroy the Transfers first.
class Client {
 public:
  /// `loop` and `server` outlive the client. `caller` is the plug-in's name, for the log.
  Client(net::EventLoop& loop, http::Shared& server, std::string caller);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The request target that a serialised URL has at this server; nullopt: it is somebody else's.
  std::optional<std::string> target_of(std::string_view url) { return server_.handler.target_of(url, loop_); }

  /// Sends `request` to whoever answers `target` here; of `request` only method, URL, headers and body count. `hops`:
  /// how many plug-ins have passed it on, this one included. `listener` lives as long as the transfer and is never
  /// called from within. What the server itself refuses is a response, as from outside.
  Transfer start(const client::ClientRequest& request, std::string target, uint8_t hops,
                 client::TransferListener& listener);

 private:
  friend class Sender;

  // Requests wait for their turn behind kMaxActive others that are equally deep: those that are deeper are what these
  // wait for.
  struct Lane {
    size_t active = 0;
    std::deque<std::weak_ptr<Sender>> waiting;
  };
  void leave(uint8_t hops);

  net::EventLoop& loop_;
  http::Shared& server_;
  const std::string caller_;
  const std::shared_ptr<net::Postbox> postbox_;
  std::array<Lane, kMaxHops + 1> lanes_;
};

}  // namespace valor::loopback
