#include "plugins/native/native-guest.h"

#include "plugins/native/host-table.h"
#include "plugins/native/instance-table.h"

namespace valor::plugins::native {

template <class Function>
void NativeGuest::outside(Function function) {
  bool threw = false;
  {
    net::EventLoop::Outside outside(loop());
    try {
      function();
    } catch (...) {
      threw = true;
    }
  }
  if (threw) break_down({.detail = "an exception left a function of the plug-in, which the plug-in ABI forbids"});
}

// Not through outside(): it might report a breakdown of what is gone.
NativeGuest::~NativeGuest() {
  if (number_ == 0) return;
  net::EventLoop::Outside outside(loop());
  if (has_self_ && !broken_down()) {
    try {
      guest_->destroy(self_);
    } catch (...) {
      log(core::LogLevel::kError, "an exception left the plug-in's destroy(), which the plug-in ABI forbids");
    }
  }
  InstanceTable::of_process().remove(number_);
}

void NativeGuest::start() {
  core::Status checked = core::Nothing{};
  core::Result<const valor_guest*> loaded = core::Error{};
  // Loading runs the library's own initialisation, which is plug-in code.
  outside([&] {
    if (kind_.check_web_ && !definition().web.empty()) checked = kind_.check_web_(definition());
    if (!checked) return;
    loaded = kind_.libraries_.load(definition().path, host_table());
    if (loaded) number_ = InstanceTable::of_process().add(*this);
  });
  if (over()) return;
  if (!checked) return context().start_failed(checked.error().message);
  if (!loaded) return context().start_failed(loaded.error().message);
  guest_ = *loaded;
  if (number_ == 0) return context().start_failed("too many native instances in this process");
  outside([&] { self_ = guest_->create(number_); });
  has_self_ = true;
  created();
}

// Its thread may go on for ever, and what it does then is not to be heard of.
bool NativeGuest::interrupt() {
  leave_behind();
  return false;
}

void NativeGuest::guest_start(uint64_t request, const void* head, size_t head_size) {
  outside([&] { guest_->start(self_, request, head, head_size); });
}

void NativeGuest::guest_complete(uint64_t operation, int32_t status, std::string_view data) {
  outside([&] { guest_->complete(self_, operation, status, data.data(), data.size()); });
}

void NativeGuest::guest_drop(uint64_t request, uint32_t reason) {
  outside([&] { guest_->drop(self_, request, reason); });
}

}  // namespace valor::plugins::native
