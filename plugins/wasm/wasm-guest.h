// One running instance of a WASM plug-in.
//
// The guest's functions run outside the turn, one at a time and never inside one another: the host calls them from its
// own loop only, and no function of the host calls one.
#pragma once

#include <v8.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>

#include "engine/fatal-guard.h"
#include "engine/isolate.h"
#include "plugins/abi/abi-guest.h"
#include "plugins/wasm/guest-memory.h"
#include "plugins/wasm/module-cache.h"
#include "plugins/wasm/wasm-kind.h"

namespace valor::plugins::wasm {

class WasmGuest final : public abi::AbiGuest {
 public:
  WasmGuest(host::GuestContext& context, WasmKind& kind);
  ~WasmGuest() override;

  static WasmGuest* from(v8::Isolate* isolate) {
    return static_cast<WasmGuest*>(engine::Isolate::from(isolate)->tenant().owner);
  }

  void start() override;
  bool work() override;
  int wait_ms() override;
  void probe() override;
  bool interrupt() override;

  // --- for the imports: while a function of the guest runs, on its thread ---

  uint64_t number() const { return number_; }
  /// Whether a function of the guest runs that may go on.
  bool may_call_host() const { return in_call_ && !over() && !isolate_->dead(); }
  /// Empty while the module is being instantiated.
  MemoryView memory() const;
  /// Says that a function got a place that the memory does not have.
  void refuse(const char* function, uint32_t pointer, uint32_t size, size_t memory_size);
  /// Ends the function of the guest that runs: the calling import throws.
  void unwind();

 private:
  using Function = v8::Global<v8::Function>;

  void guest_start(uint64_t request, const void* head, size_t head_size) override;
  void guest_complete(uint64_t operation, int32_t status, std::string_view data) override;
  void guest_drop(uint64_t request, uint32_t reason) override;

  // --- inside the turn ---

  core::Status make_isolate();
  /// Runs `body`, which calls functions of the guest and says whether they returned. Returns whether the guest can go
  /// on; where it cannot, the host has been told why.
  template <class Body>
  bool run(Body body);
  void give_up();
  void destroy();

  // --- outside the turn, in run() ---

  /// Makes an instance of the module. The error is not the guest's doing, or that of its compiler.
  bool load(core::Status& loaded);
  bool instantiate();
  /// _initialize() and valor_create().
  bool create(core::Status& created);
  bool call(const Function& function, std::initializer_list<v8::Local<v8::Value>> arguments);
  bool call(const Function& function, std::initializer_list<v8::Local<v8::Value>> arguments, int32_t& result);
  /// Copies to the block that the guest has given for such. False when it gave none.
  bool put(const void* data, size_t size);
  bool grow_block(size_t size);
  void describe_failure(const v8::TryCatch& guard);
  std::string stack_of(v8::Local<v8::Value> exception) const;

  v8::Local<v8::Value> int32(uint32_t value) const;
  v8::Local<v8::Value> int64(uint64_t value) const;

  WasmKind& kind_;
  const uint64_t number_;
  std::unique_ptr<engine::FatalGuard> fatal_guard_;
  std::unique_ptr<engine::Isolate> isolate_;
  std::shared_ptr<const Module> module_;

  v8::Global<v8::WasmMemoryObject> memory_;
  Function initialise_, abi_, alloc_, free_, create_, start_, complete_, drop_, destroy_;
  int32_t self_ = 0;
  bool has_self_ = false;  // valor_create() has returned
  bool in_call_ = false;

  uint32_t block_ = 0;
  uint32_t block_size_ = 0;

  std::string failure_;  // why a function of the guest did not return
  std::string stack_;

  std::mutex interrupt_mutex_;  // guards the two below between threads
  engine::Isolate* interruptible_ = nullptr;
  bool interrupted_ = false;
};

}  // namespace valor::plugins::wasm
