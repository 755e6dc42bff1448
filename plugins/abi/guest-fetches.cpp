#include "plugins/abi/guest-fetches.h"

#include <utility>
#include <vector>

namespace valor::plugins::abi {

bool GuestFetches::full() {
  if (fetches_.size() >= kMost) work();
  return fetches_.size() >= kMost;
}

ExchangeId GuestFetches::start(FetchTarget target, uint64_t request, unsigned hops, bool follows_redirects,
                               std::optional<uint64_t> length, uint64_t operation) {
  const ExchangeId id = kMark | ++last_;
  auto fetch = std::make_unique<GuestFetch>(shared_, std::move(target),
                                            GuestFetch::Options{id, request, hops, follows_redirects, length});
  GuestFetch& started = *fetch;
  fetches_.emplace(id, std::move(fetch));
  if (request != 0) by_request_.emplace(request, id);
  shared_.operations.wait(id, WaitsFor::kHead, operation);
  started.send();
  return id;
}

GuestFetch* GuestFetches::find(ExchangeId id) {
  const auto found = fetches_.find(id);
  return found == fetches_.end() || found->second->over() ? nullptr : found->second.get();
}

void GuestFetches::remove(ExchangeId id) {
  const auto found = fetches_.find(id);
  if (found == fetches_.end()) return;
  if (found->second->request() != 0) by_request_.erase({found->second->request(), id});
  fetches_.erase(found);
}

bool GuestFetches::end(ExchangeId id) {
  const bool was_there = find(id) != nullptr;
  remove(id);
  return was_there;
}

void GuestFetches::end_request(uint64_t request) {
  for (auto at = by_request_.lower_bound({request, 0}); at != by_request_.end() && at->first == request;) {
    const ExchangeId id = at->second;
    at = by_request_.erase(at);
    fetches_.erase(id);
    shared_.operations.end(id);
  }
}

void GuestFetches::work() {
  for (const ExchangeId id : std::exchange(shared_.to_do, {})) {
    const auto found = fetches_.find(id);
    if (found == fetches_.end()) continue;
    found->second->work();
    if (found->second->over()) remove(id);
  }
}

}  // namespace valor::plugins::abi
