// Several waits at once, within one coroutine.
//
//     auto [author, books] = co_await valor::all(find_author(id), find_books(id));
//
//     auto result = co_await valor::race(valor::fetch(url), valor::sleep(2000));
//     if (result.index() == 1) co_return valor::Response(504, "the other side is too slow");
//     valor::FetchResponse& response = std::get<0>(result);
//
// What can be awaited can take part: tasks, fetches, sleeps, completions, reads. What a `void` gives is std::monostate.
// As soon as the result is certain (a race is won, a part of all() has thrown), the other parts are destroyed where
// they wait, and with them what they wait for.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <valor/task.hpp>
#include <variant>
#include <vector>

namespace valor {

namespace detail {

template <class Awaitable>
decltype(auto) awaiter_of(Awaitable&& awaitable) {
  if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); }) {
    return std::forward<Awaitable>(awaitable).operator co_await();
  } else {
    return std::forward<Awaitable>(awaitable);
  }
}

template <class Awaitable>
using RawResult = decltype(awaiter_of(std::declval<Awaitable>()).await_resume());
/// What awaiting gives, as a value that can be kept.
template <class Awaitable>
using ResultOf =
    std::conditional_t<std::is_void_v<RawResult<Awaitable>>, std::monostate, std::remove_cvref_t<RawResult<Awaitable>>>;

class Group;

/// One part of a group: a coroutine that the group owns.
struct Branch {
  struct promise_type;
  std::coroutine_handle<promise_type> frame;
};

/// Parts that run together, and the coroutine that waits for them.
class Group {
 public:
  enum class Ends { kWithLast, kWithFirst };

  explicit Group(Ends ends) : ends_(ends) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  inline ~Group();

  void add(Branch branch) { branches_.push_back(branch.frame); }

  struct Awaiter {
    Group& group;
    bool await_ready() const { return group.branches_.empty() && group.ends_ == Ends::kWithLast; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> waiter) {
      group.waiter_ = waiter;
      return group.start(*waiter.promise().root);
    }
    /// The part that decided: the winner of a race, or the one that has thrown.
    size_t await_resume() const {
#if VALOR_DETAIL_EXCEPTIONS
      if (group.error_) std::rethrow_exception(group.error_);
#endif
      return group.decisive_;
    }
  };
  /// co_await group.run(): starts all, goes on when the group has ended.
  Awaiter run() { return {*this}; }

 private:
  friend struct Branch::promise_type;
  enum class Stage { kStarting, kWaiting, kEnded };

  inline std::coroutine_handle<> start(Root& root);
  inline std::coroutine_handle<> ended(Branch::promise_type& branch);
  inline void destroy_losers();

  const Ends ends_;
  Stage stage_ = Stage::kStarting;
  size_t ended_count_ = 0;
  size_t decisive_ = 0;
#if VALOR_DETAIL_EXCEPTIONS
  std::exception_ptr error_;
#endif
  std::vector<std::coroutine_handle<Branch::promise_type>> branches_;
  std::coroutine_handle<> waiter_;
};

struct Branch::promise_type {
  Root* root = nullptr;
  Group& group;
  size_t index;
#if VALOR_DETAIL_EXCEPTIONS
  std::exception_ptr error;
#endif

  template <class... Rest>
  promise_type(Group& its_group, size_t its_index, Rest&&...) : group(its_group), index(its_index) {}

  Branch get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
  std::suspend_always initial_suspend() noexcept { return {}; }
  struct TellGroup {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
      return self.promise().group.ended(self.promise());
    }
    void await_resume() noexcept {}
  };
  TellGroup final_suspend() noexcept { return {}; }
  void return_void() {}
  void unhandled_exception() noexcept {
#if VALOR_DETAIL_EXCEPTIONS
    error = std::current_exception();
#else
    std::abort();
#endif
  }
};

inline Group::~Group() {
  for (const auto branch : branches_) branch.destroy();
}

inline std::coroutine_handle<> Group::start(Root& root) {
  for (size_t i = 0; i < branches_.size() && stage_ == Stage::kStarting; ++i) {
    branches_[i].promise().root = &root;
    branches_[i].resume();
  }
  if (stage_ == Stage::kStarting) {
    stage_ = Stage::kWaiting;
    return std::noop_coroutine();
  }
  destroy_losers();
  return waiter_;
}

/// Returns the coroutine that goes on now. All parts are suspended, this one for good.
inline std::coroutine_handle<> Group::ended(Branch::promise_type& branch) {
  ++ended_count_;
  bool decided = ends_ == Ends::kWithFirst || ended_count_ == branches_.size();
#if VALOR_DETAIL_EXCEPTIONS
  if (branch.error) {
    error_ = branch.error;
    decided = true;
  }
#endif
  if (!decided) return std::noop_coroutine();
  decisive_ = branch.index;
  if (std::exchange(stage_, Stage::kEnded) == Stage::kStarting) return std::noop_coroutine();  // back in start()
  destroy_losers();
  return waiter_;
}

inline void Group::destroy_losers() {
  for (size_t i = 0; i < branches_.size(); ++i) {
    if (i != decisive_) branches_[i].destroy();
  }
  // The last one is on its way out of its own code.
  branches_ = {branches_[decisive_]};
}

template <class Awaitable>
Branch run_part(Group& /*group*/, size_t /*index*/, Awaitable awaitable, std::optional<ResultOf<Awaitable>>& result) {
  if constexpr (std::is_void_v<RawResult<Awaitable>>) {
    co_await std::move(awaitable);
    result.emplace();
  } else {
    result.emplace(co_await std::move(awaitable));
  }
}

template <class Variant, size_t index = 0, class Results>
Variant pick(size_t chosen, Results& results) {
  if constexpr (index + 1 < std::variant_size_v<Variant>) {
    if (chosen != index) return pick<Variant, index + 1>(chosen, results);
  }
  return Variant(std::in_place_index<index>, std::move(*std::get<index>(results)));
}

}  // namespace detail

/// co_await valor::all(a, b): what a and b give, as a std::tuple. What a part throws is thrown, the first one's.
template <class... Awaitables>
Task<std::tuple<detail::ResultOf<Awaitables>...>> all(Awaitables... awaitables) {
  std::tuple<std::optional<detail::ResultOf<Awaitables>>...> results;
  detail::Group group(detail::Group::Ends::kWithLast);
  [&]<size_t... index>(std::index_sequence<index...>) {
    (group.add(detail::run_part(group, index, std::move(awaitables), std::get<index>(results))), ...);
  }(std::index_sequence_for<Awaitables...>());
  co_await group.run();
  co_return std::apply(
      [](auto&... result) { return std::tuple<detail::ResultOf<Awaitables>...>(std::move(*result)...); }, results);
}

/// The same for many of a kind: what they give, in their order.
template <class Awaitable>
Task<std::vector<detail::ResultOf<Awaitable>>> all(std::vector<Awaitable> awaitables) {
  std::vector<std::optional<detail::ResultOf<Awaitable>>> results(awaitables.size());
  detail::Group group(detail::Group::Ends::kWithLast);
  for (size_t i = 0; i < awaitables.size(); ++i) {
    group.add(detail::run_part(group, i, std::move(awaitables[i]), results[i]));
  }
  co_await group.run();
  std::vector<detail::ResultOf<Awaitable>> values;
  values.reserve(results.size());
  for (auto& result : results) values.push_back(std::move(*result));
  co_return values;
}

/// co_await valor::race(a, b): what the first of them gives that ends, as a std::variant whose index() says which it
/// was. When the first one throws, that is thrown.
template <class... Awaitables>
Task<std::variant<detail::ResultOf<Awaitables>...>> race(Awaitables... awaitables) {
  static_assert(sizeof...(Awaitables) > 0, "a race of nobody never ends");
  using Result = std::variant<detail::ResultOf<Awaitables>...>;
  std::tuple<std::optional<detail::ResultOf<Awaitables>>...> results;
  detail::Group group(detail::Group::Ends::kWithFirst);
  [&]<size_t... index>(std::index_sequence<index...>) {
    (group.add(detail::run_part(group, index, std::move(awaitables), std::get<index>(results))), ...);
  }(std::index_sequence_for<Awaitables...>());
  const size_t winner = co_await group.run();
  co_return detail::pick<Result>(winner, results);
}

/// The same for many of a kind: the index of the winner, and what it gives. A race of nobody never ends.
template <class Awaitable>
Task<std::pair<size_t, detail::ResultOf<Awaitable>>> race(std::vector<Awaitable> awaitables) {
  std::vector<std::optional<detail::ResultOf<Awaitable>>> results(awaitables.size());
  detail::Group group(detail::Group::Ends::kWithFirst);
  for (size_t i = 0; i < awaitables.size(); ++i) {
    group.add(detail::run_part(group, i, std::move(awaitables[i]), results[i]));
  }
  const size_t winner = co_await group.run();
  co_return std::pair<size_t, detail::ResultOf<Awaitable>>(winner, std::move(*results[winner]));
}

}  // namespace valor
