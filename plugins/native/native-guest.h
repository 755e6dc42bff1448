// One running instance of a native plug-in.
//
// The public functions below Guest are what the host table (host-table.h) does on behalf of the plug-in: they are
// called inside the turn, on whichever thread the plug-in called from, and return the codes of abi/valor.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "abi/valor.h"
#include "host/guest.h"
#include "plugins/native/library.h"
#include "plugins/native/operations.h"

namespace valor::plugins::native {

class NativeGuest final : public host::Guest {
 public:
  NativeGuest(host::GuestContext& context, LibraryCache& libraries);
  ~NativeGuest() override;

  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call& call) override;
  void writable(host::Call& call) override;
  void dropped(host::CallId id, host::DropReason reason) override;
  bool work() override;
  int wait_ms() override;

  // --- any thread, inside the turn or not ---

  net::EventLoop& loop() { return context_.loop(); }
  const core::Definition& definition() const { return context_.definition(); }
  const std::string& location() const { return context_.location(); }
  void log(core::LogLevel level, std::string_view message) { context_.log().write(level, definition().name, message); }

  // --- for the host table, inside the turn ---

  int32_t create_done();
  int32_t create_fail(std::string_view message);
  int32_t respond(uint64_t request, uint32_t status, std::string_view headers, std::string_view body);
  int32_t send_head(uint64_t request, uint32_t status, std::string_view headers, uint64_t length);
  int32_t send_body(uint64_t request, std::string_view data, uint64_t operation);
  int32_t send_end(uint64_t request);
  int32_t fail(uint64_t request, std::string_view message);
  int32_t body_read(uint64_t request, char* buffer, size_t capacity, uint64_t operation);
  int32_t sleep(uint64_t milliseconds, uint64_t operation);
  int32_t cancel(uint64_t operation);

 private:
  enum class Creation { kRunning, kDone, kFailed, kReported };

  /// Runs plug-in code: outside the turn, and no exception gets past here.
  template <class Function>
  void outside(Function function);
  void complete(Completion completion);
  void report_creation();
  int32_t read_head(host::Call& call, uint32_t status, std::string_view headers);
  int32_t invalid(const char* function, std::string_view what);
  /// Has the loop's thread see to what another thread has changed.
  void wake_from_elsewhere();

  host::GuestContext& context_;
  LibraryCache& libraries_;
  const std::thread::id thread_;
  const valor_guest* guest_ = nullptr;
  uint64_t number_ = 0;
  void* self_ = nullptr;
  bool created_ = false;  // create() was called and has returned
  bool broken_ = false;
  Creation creation_ = Creation::kRunning;
  std::string creation_error_;
  Operations operations_;
  core::ResponseHead head_;             // used again for each answer
  std::vector<uint64_t> request_head_;  // used again for each request
};

}  // namespace valor::plugins::native
