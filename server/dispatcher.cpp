#include "server/dispatcher.h"

#include <sys/random.h>

#include <chrono>

namespace valor::server {

namespace {

constexpr uint32_t kRetryAfterSeconds = 1;

core::IdSource::Seed random_seed() {
  core::IdSource::Seed seed{};
  // Cannot fail for so few bytes once the system has booted.
  (void)!getrandom(seed.data(), sizeof seed, 0);
  return seed;
}

int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct Dispatcher::LoopState {
  core::IdSource ids{random_seed()};
  std::shared_ptr<const host::RouteTable> routes;
  std::string scratch;
};

Dispatcher::LoopState& Dispatcher::state_of(net::EventLoop& loop) {
  if (loop.local() == nullptr) loop.local() = std::make_shared<LoopState>();
  return *static_cast<LoopState*>(loop.local().get());
}

void Dispatcher::identify(core::Request& request, net::EventLoop& here) {
  core::assign_request_id(request, state_of(here).ids);
}

Dispatcher::LoopState& Dispatcher::current_state(net::EventLoop& loop) {
  LoopState& state = state_of(loop);
  if (state.routes == nullptr || state.routes->version != routes_.version()) state.routes = routes_.table();
  return state;
}

std::optional<std::string> Dispatcher::target_of(std::string_view url, net::EventLoop& here) {
  std::string target;
  if (current_state(here).routes->site.find(url, target) || site_.find(url, target)) return target;
  return std::nullopt;
}

net::Acceptor* Dispatcher::route(core::Request& request, net::EventLoop& here, core::Problem& problem) {
  LoopState& state = current_state(here);
  if (request.id.empty()) core::assign_request_id(request, state.ids);

  core::Match match;
  if (!state.routes->router.find(request.target, match, state.scratch)) {
    problem = {.status = 404, .detail = "no plug-in is mounted at this path"};
    return nullptr;
  }
  request.url = match.url;
  const host::RoutedPlugin& routed = state.routes->plugins[match.id];
  const core::Definition& definition = routed.plugin->definition;
  if (!routed.refusal.empty()) {
    problem = {.status = 502, .detail = routed.refusal, .plugin = definition.name};
  } else if (definition.place == core::Place::kBrowser) {
    problem = {.status = 404,
               .detail =
                   "this plug-in runs in web browsers only (\"place\": \"browser\"), where the page's service worker "
                   "answers for it; this request has come to the server",
               .plugin = definition.name};
  } else if (host::Instance* instance = routed.reserve(here)) {
    return instance;
  } else {
    problem = {.status = 503,
               .detail = "too many requests wait for the plug-in",
               .plugin = definition.name,
               .limit = "queue",
               .limit_value = definition.limits.queue,
               .retry_after_s = kRetryAfterSeconds};
    routed.plugin->counters->limit_tripped("queue", definition.limits.queue, unix_ms());
  }
  routed.plugin->counters->requests.fetch_add(1, std::memory_order_relaxed);
  if (problem.status >= 500) routed.plugin->counters->failures.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

}  // namespace valor::server
