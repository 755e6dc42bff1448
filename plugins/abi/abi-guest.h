// One running instance of a plug-in that speaks the plug-in ABI (abi/valor.h), whatever carries it: plugins/native and
// plugins/wasm derive from it, run the guest's functions, and hand it what the guest calls.
//
// The public functions below Guest are the host functions of the ABI: they are called inside the turn, on whichever
// thread the plug-in called from, with memory that is known to be readable, and return the codes of abi/valor.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "abi/valor.h"
#include "host/guest.h"
#include "plugins/abi/guest-fetches.h"
#include "plugins/abi/operations.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::abi {

class AbiGuest : public host::Guest {
 public:
  /// `open_network` lives longer than the guest; it is called when the guest fetches for the first time.
  AbiGuest(host::GuestContext& context, const outgoing::OpenNetwork& open_network)
      : context_(context), open_network_(open_network), thread_(std::this_thread::get_id()) {}

  void handle(host::Call& call) final;
  void body_ready(host::Call& call) final;
  void writable(host::Call& call) final;
  void dropped(host::CallId id, host::DropReason reason) final;
  bool work() override;
  int wait_ms() override;

  // --- any thread, inside the turn or not ---

  net::EventLoop& loop() { return context_.loop(); }
  const core::Definition& definition() const { return context_.definition(); }
  const std::string& location() const { return context_.location(); }
  void log(core::LogLevel level, std::string_view message) const {
    context_.log().write(level, definition().name, message);
  }
  /// The instance has broken down, given up, or been given up: every host function is answered with VALOR_NO_INSTANCE,
  /// and none of the guest's functions may be called any more, except destroy() where it has not broken_down().
  bool over() const { return over_.load(std::memory_order_relaxed); }

  // --- the host functions, inside the turn, while not over() ---

  int32_t create_done();
  int32_t create_fail(std::string_view message);
  int32_t abort(std::string_view message);
  /// `level` as the guest gave it. Any thread, inside the turn or not.
  int32_t log(uint32_t level, std::string_view message);
  /// What is kept under `key`; nothing when there is no such key.
  std::optional<std::string_view> state_get(std::string_view key) const;
  int32_t state_set(std::string_view key, std::string_view value);
  int32_t state_delete(std::string_view key);
  int32_t respond(uint64_t request, uint32_t status, std::string_view headers, std::string_view body);
  int32_t send_head(uint64_t request, uint32_t status, std::string_view headers, uint64_t length);
  int32_t send_body(uint64_t exchange, std::string_view data, uint64_t operation);
  int32_t send_end(uint64_t exchange);
  int32_t fail(uint64_t request, std::string_view message);
  int32_t body_read(uint64_t exchange, char* buffer, size_t capacity, uint64_t operation);
  int64_t fetch(uint64_t request, std::string_view method, std::string_view url, std::string_view headers,
                uint64_t length, uint32_t flags, uint64_t operation);
  int32_t fetch_cancel(uint64_t fetch);
  int32_t sleep(uint64_t milliseconds, uint64_t operation);
  int32_t cancel(uint64_t operation);

 protected:
  /// The guest's functions. Called inside the turn and to let go of it; what goes wrong in them ends in break_down().
  virtual void guest_start(uint64_t request, const void* head, size_t head_size) = 0;
  /// `data` is aligned to 8 bytes and valid until this returns.
  virtual void guest_complete(uint64_t operation, int32_t status, std::string_view data) = 0;
  virtual void guest_drop(uint64_t request, uint32_t reason) = 0;

  /// create() of the guest has returned: requests may come when it has said that it is done.
  void created();
  /// The instance cannot go on; no function of the guest is called any more.
  void break_down(host::Breakdown breakdown);
  /// What the guest said when it gave up (abort()).
  const std::optional<std::string>& aborted() const { return aborted_; }
  bool broken_down() const { return broken_ || aborted_; }
  /// The host has ended the instance while its code runs: the code hears so when it next calls the host.
  void leave_behind() { over_ = true; }
  host::GuestContext& context() { return context_; }

 private:
  enum class Creation { kRunning, kDone, kFailed, kReported };

  /// After each of the guest's functions.
  void settle();
  void report_creation();
  /// Completes as many operations as are complete now: plug-in code may add more for ever, and others want their turn.
  void deliver();
  int32_t read_request_body(uint64_t request, char* buffer, size_t capacity, uint64_t operation);
  int32_t write_answer(uint64_t request, std::string_view data, uint64_t operation);
  int32_t end_answer(uint64_t request);
  /// The client has taken what was sent.
  void caught_up(uint64_t request);
  GuestFetch* find_fetch(uint64_t fetch) { return fetches_ ? fetches_->find(fetch) : nullptr; }
  /// The answer to the request has ended or cannot go on: so has what the guest waits for there.
  void end_request(uint64_t request);
  int32_t read_head(host::Call& call, uint32_t status, std::string_view headers);
  int32_t invalid(const char* function, std::string_view what);
  /// Has the loop's thread see to what another thread has changed.
  void wake_from_elsewhere();

  /// What was read of a body and did not fit.
  struct Rest {
    std::string bytes;
    size_t at = 0;
  };
  /// What the guest may send of its answers while it is told to wait: whoever cancels the operation and goes on fills
  /// memory that no limit of it counts. One piece may be larger.
  static constexpr size_t kMaxAhead = size_t{256} * 1024 * 1024;
  /// Keys that are kept: what each takes besides its bytes is not in VALOR_STATE_BYTES.
  static constexpr size_t kMostKeys = 65'536;

  host::GuestContext& context_;
  const outgoing::OpenNetwork& open_network_;
  const std::thread::id thread_;
  bool created_ = false;  // create() was called and has returned
  bool broken_ = false;   // the host knows
  std::atomic<bool> over_{false};
  std::optional<std::string> aborted_;  // what the guest said
  Creation creation_ = Creation::kRunning;
  std::string creation_error_;
  Operations operations_;
  std::unordered_map<uint64_t, Rest> rests_;
  std::unordered_map<uint64_t, size_t> ahead_;  // of which request how many bytes, since it was told to wait
  size_t ahead_of_all_ = 0;
  std::optional<GuestFetches> fetches_;
  std::map<std::string, std::string, std::less<>> state_;
  size_t state_bytes_ = 0;
  core::ResponseHead head_;             // used again for each answer
  std::vector<uint64_t> request_head_;  // used again for each request
};

}  // namespace valor::plugins::abi
