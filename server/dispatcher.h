// The dispatcher gives each request its id and finds who answers it.
#pragma once

#include "core/request-id.h"
#include "host/routes.h"
#include "http/handler.h"

namespace valor::server {

class Dispatcher final : public http::Handler {
 public:
  /// `routes` outlives the dispatcher.
  explicit Dispatcher(const host::Routes& routes) : routes_(routes) {}

  /// What else is this server's than plug-ins with a location of their own. Before the first request.
  void set_site(core::Site site) { site_ = std::move(site); }

  net::Acceptor* route(core::Request& request, net::EventLoop& here, core::Problem& problem) override;
  std::optional<std::string> target_of(std::string_view url, net::EventLoop& here) override;
  void identify(core::Request& request, net::EventLoop& here) override;

 private:
  // What each loop keeps for itself, so that requests share nothing (net::EventLoop::local).
  struct LoopState;
  static LoopState& state_of(net::EventLoop& loop);
  // With the routes in force.
  LoopState& current_state(net::EventLoop& loop);

  const host::Routes& routes_;
  core::Site site_;
};

}  // namespace valor::server
