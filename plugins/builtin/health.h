// The health plug-in: says that the server answers. GET or HEAD of the mount itself: 200 {"status":"ok"}.
#pragma once

#include "host/guest.h"

namespace valor::plugins::builtin {

class Health final : public host::Guest {
 public:
  explicit Health(host::GuestContext& context);
  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call&) override {}
  void writable(host::Call&) override {}
  void dropped(host::CallId, host::DropReason) override {}

 private:
  host::GuestContext& context_;
  core::ResponseHead head_;
};

}  // namespace valor::plugins::builtin
