// What browsers need to run plug-ins themselves: the browser runtime (browser/), a plug-in file of all plug-ins that
// may run there, and the files of these plug-ins. docs/plugins-builtin.md says who gets what.
#pragma once

#include <string>

#include "host/guest.h"
#include "host/plugin-control.h"
#include "plugins/builtin/delivery.h"
#include "plugins/builtin/file-sender.h"
#include "plugins/builtin/served-folder.h"

namespace valor::plugins::builtin {

/// Who gets the plug-ins.
enum class BrowserDelivery {
  kOff,    ///< nobody
  kLocal,  ///< programs on this machine, and pages that it serves under a loopback name
  kOpen,   ///< whoever reaches the server
};

struct BrowserOptions {
  BrowserDelivery delivery = BrowserDelivery::kOff;
  std::string web_folder;  ///< of the runtime's files; need not exist
  DeliveryTools tools;
};

class Browser final : public host::Guest {
 public:
  /// `control` and `options` outlive the plug-in.
  Browser(host::GuestContext& context, host::PluginControl& control, const BrowserOptions& options)
      : context_(context), control_(control), options_(options), sender_(context), delivery_(options.tools) {}

  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call&) override {}
  void writable(host::Call& call) override { sender_.writable(call); }
  void dropped(host::CallId id, host::DropReason) override { sender_.dropped(id); }
  bool work() override { return sender_.work(); }

 private:
  void send_runtime(host::Call& call);
  void send_plugin_file(host::Call& call);
  /// `path`: after "plugins/", as it is in the URL.
  void send_file_of_plugin(host::Call& call, std::string_view path);
  /// Whether the sender may have plug-ins; answers when not.
  bool admits(host::Call& call);

  host::GuestContext& context_;
  host::PluginControl& control_;
  const BrowserOptions& options_;
  FileSender sender_;
  Delivery delivery_;
};

}  // namespace valor::plugins::builtin
