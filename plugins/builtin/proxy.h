// The proxy plug-in: forwards requests to an upstream server and streams both bodies.
// docs/plugins-builtin.md has its configuration and statuses.
#pragma once

#include <memory>
#include <unordered_map>

#include "client/curl-client.h"
#include "host/guest.h"
#include "plugins/builtin/forwarding.h"

namespace valor::plugins::builtin {

class Proxy final : public host::Guest {
 public:
  explicit Proxy(host::GuestContext& context);
  ~Proxy() override;
  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call& call) override;
  void writable(host::Call& call) override;
  void dropped(host::CallId id, host::DropReason reason) override;

 private:
  class Forward;

  host::GuestContext& context_;
  Upstream upstream_;
  ForwardingRules rules_;
  uint32_t timeout_ms_ = 0;
  std::unique_ptr<client::CurlClient> client_;
  std::unordered_map<host::CallId, std::unique_ptr<Forward>> forwards_;  // after the client: destroyed before it
};

}  // namespace valor::plugins::builtin
