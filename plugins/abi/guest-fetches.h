// The fetches of one instance, by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "plugins/abi/guest-fetch.h"

namespace valor::plugins::abi {

/// Inside the turn.
class GuestFetches {
 public:
  /// As many at a time: what is unread of their responses takes memory that no limit of the instance counts.
  static constexpr size_t kMost = 1024;
  /// Set in the number of every fetch, and of no request: those are counted from 1.
  static constexpr uint64_t kMark = uint64_t{1} << 62;
  static bool is_fetch(uint64_t exchange) { return (exchange & kMark) != 0; }

  GuestFetches(std::unique_ptr<outgoing::Network> network, Operations& operations,
               std::function<void(const std::string&)> warn)
      : network_(std::move(network)), shared_{*network_, operations, std::move(warn)} {}

  const outgoing::Network& network() const { return *network_; }
  bool full();
  /// Begins one; `operation` completes with the head of its response.
  ExchangeId start(FetchTarget target, uint64_t request, unsigned hops, bool follows_redirects,
                   std::optional<uint64_t> length, uint64_t operation);
  /// nullptr when it is over.
  GuestFetch* find(ExchangeId id);
  /// Ends it; returns false when it was over. What waits there is left to whoever calls.
  bool end(ExchangeId id);
  /// Ends those on behalf of a request; what waits there is complete.
  void end_request(uint64_t request);

  /// What is due since news came.
  void work();
  bool has_work() const { return !shared_.to_do.empty(); }

 private:
  void remove(ExchangeId id);

  const std::unique_ptr<outgoing::Network> network_;
  FetchShared shared_;
  std::unordered_map<ExchangeId, std::unique_ptr<GuestFetch>> fetches_;  // destroyed before the network
  std::set<std::pair<uint64_t, ExchangeId>> by_request_;
  uint64_t last_ = 0;
};

}  // namespace valor::plugins::abi
