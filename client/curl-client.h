// An HTTP client on an event loop: libcurl's multi interface, whose sockets and timers are the loop's. Nothing blocks:
// bodies stream both ways as fast as the slower side. It knows nothing of plug-ins.
//
// A client and its transfers belong to one loop and are used inside its turn. Listeners are called inside the turn too,
// from libcurl's callbacks; whatever they do there, such as ending their own transfer, is safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/head-reader.h"
#include "core/exchange.h"
#include "core/ip-address.h"
#include "core/message.h"
#include "core/result.h"
#include "net/event-loop.h"

namespace valor::client {

/// Says why no connection may be made to an address and port, "" where it may.
using AddressCheck = std::function<std::string(const core::IpAddress&, uint16_t)>;

/// What is asked. It is sent as it stands: no redirects are followed, nothing is added but the framing headers and,
/// where `headers` has none, host.
struct ClientRequest {
  std::string method;
  std::string url;          ///< absolute http: or https: URL
  std::string target = {};  ///< the request-target, instead of the one that `url` gives; no blanks or controls
  core::HeaderList headers = {};
  bool has_body = false;
  std::optional<uint64_t> content_length = {};  ///< of the body; without it the body is sent chunked
  uint32_t connect_timeout_ms = 30'000;         ///< until connected, name look-up included
  uint32_t response_timeout_ms = 30'000;        ///< from the last byte sent to the response's head; 0: none
  bool http2 = false;                           ///< where the other side of a TLS connection offers it
  HeadRules head_rules = HeadRules::kStrict;    ///< what counts as a response's head
  bool fresh_connection = false;                ///< use none that is there already
  bool decode = false;              ///< accept-encoding is sent, and the content decoded; the head stays as it came
  std::string proxy = {};           ///< URL of a proxy (client/proxy-settings.h)
  AddressCheck check_address = {};  ///< asked before each connection, with what the name resolved to
};

struct TransferFailure {
  enum class Kind {
    kConnect,  ///< nobody answers at that address
    kTimeout,
    kBroken,   ///< the other side broke off or broke the rules
    kBody,     ///< read_body() said kFailed
    kRefused,  ///< check_address said so
  };
  Kind kind;
  std::string message;  ///< for the operator: libcurl's words, or those of check_address
  /// What it is in one word, as Node calls it where it has a name for it: ENOTFOUND, ECONNREFUSED, ECONNRESET, ...
  const char* code = "ERR_HTTP";
};

class TransferListener {
 public:
  /// The head of the final response. `length`: of its body, where it is known; after HEAD and with 304 of the body
  /// that is not sent. `reason`: the words after the status. Once.
  virtual void on_head(core::ResponseHead head, std::optional<uint64_t> length, std::string_view reason) = 0;
  /// The next piece of the response's body. After kWait nothing more comes until Transfer::resume_download();
  /// after kGone nothing at all.
  virtual core::WriteStatus on_data(std::string_view data) = 0;
  /// The next piece of the request's body, as core::Exchange::read_body. After kWait: Transfer::resume_upload().
  virtual core::BodyPiece read_body() = 0;
  /// The response is complete. The transfer is over.
  virtual void on_end() = 0;
  /// The transfer is over without a complete response.
  virtual void on_failed(TransferFailure failure) = 0;

 protected:
  ~TransferListener() = default;
};

class CurlClient;

/// A request on its way. Destroying it cancels; the listener then hears nothing more.
class Transfer {
 public:
  struct State;

  Transfer() = default;
  ~Transfer();
  Transfer(Transfer&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Transfer& operator=(Transfer&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }

  void resume_upload();
  void resume_download();
  /// Whether the whole request has been handed over.
  bool upload_done() const;

 private:
  friend class CurlClient;
  explicit Transfer(State* state) : state_(state) {}
  State* state_ = nullptr;  // owned by the client
};

struct ClientOptions {
  long max_connections = 0;  ///< requests beyond wait for their turn; 0: no limit
};

class CurlClient {
 public:
  /// `loop` outlives the client.
  static core::Result<std::unique_ptr<CurlClient>> create(net::EventLoop& loop, ClientOptions options = {});
  /// Cancels what is under way; destroy the Transfers first.
  ~CurlClient();
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  /// Sends a request; connections are reused. `listener` lives as long as the transfer, and is never called from
  /// within start(). Fails only when memory runs out.
  core::Result<Transfer> start(const ClientRequest& request, TransferListener& listener);

 private:
  friend class Transfer;
  struct Impl;
  explicit CurlClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valor::client
