// The network as one instance of a plug-in sees it: what its own requests (fetch) go through, in every language.
// InstanceNetwork is the real one; tests have others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/curl-client.h"
#include "host/guest.h"

namespace valor::plugins::outgoing {

/// A URL whose parts matter to the rules of fetch. https://url.spec.whatwg.org/
struct Url {
  std::string href;      ///< serialised, without fragment
  std::string fragment;  ///< with its '#', or empty
  std::string scheme;    ///< "https"
  std::string origin;    ///< scheme, host and port: equal texts are the same origin
  uint16_t port = 0;     ///< the scheme's own where the URL has none; 0 where the scheme has none either
  bool has_credentials = false;
};

/// A request on its way. Destroying it cancels; its listener then hears nothing more.
class Sending {
 public:
  virtual ~Sending() = default;
  virtual void resume_upload() = 0;
  virtual void resume_download() = 0;
};

/// On the loop of its instance, inside the turn. Destroy the Sendings first.
class Network {
 public:
  virtual ~Network() = default;

  /// `base` is a serialised URL. nullopt: it is no URL.
  virtual std::optional<Url> parse(std::string_view url, std::string_view base) const = 0;

  /// Sends one request with an absolute http: or https: URL without credentials and fragment. Of `request` method, URL,
  /// headers, body and fresh_connection count; `hops` is how many plug-ins have passed it on, this one included. What
  /// may be reached is checked: where nothing may be sent, the listener hears on_failed() from within, and the result
  /// is null. Other news come later, inside the turn, on any thread. `listener` lives as long as the result, which it
  /// must not destroy from within. Content is decoded.
  virtual std::unique_ptr<Sending> send(client::ClientRequest request, unsigned hops,
                                        client::TransferListener& listener) = 0;
};

/// Makes the network of an instance. Any thread.
using OpenNetwork = std::function<std::unique_ptr<Network>(host::GuestContext&)>;

}  // namespace valor::plugins::outgoing
