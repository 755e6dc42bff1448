// One running instance of a native plug-in.
#pragma once

#include <cstdint>

#include "plugins/abi/abi-guest.h"
#include "plugins/native/native-kind.h"

namespace valor::plugins::native {

class NativeGuest final : public abi::AbiGuest {
 public:
  NativeGuest(host::GuestContext& context, NativeKind& kind) : AbiGuest(context, kind.open_network_), kind_(kind) {}
  ~NativeGuest() override;

  void start() override;
  bool interrupt() override;

 private:
  void guest_start(uint64_t request, const void* head, size_t head_size) override;
  void guest_complete(uint64_t operation, int32_t status, std::string_view data) override;
  void guest_drop(uint64_t request, uint32_t reason) override;

  /// Runs plug-in code: outside the turn, and no exception gets past here.
  template <class Function>
  void outside(Function function);

  NativeKind& kind_;
  const valor_guest* guest_ = nullptr;
  uint64_t number_ = 0;
  void* self_ = nullptr;
  bool has_self_ = false;  // create() has returned
};

}  // namespace valor::plugins::native
