#include "plugins/builtin/builtin-kind.h"

#include <utility>

#include "plugins/builtin/files.h"
#include "plugins/builtin/health.h"
#include "plugins/builtin/proxy.h"
#include "plugins/builtin/registry.h"

namespace valor::plugins::builtin {

namespace {

// Stands in for a plug-in that cannot be: says so when it is started.
class Refused final : public host::Guest {
 public:
  Refused(host::GuestContext& context, std::string reason) : context_(context), reason_(std::move(reason)) {}
  void start() override { context_.start_failed(reason_); }
  void handle(host::Call& call) override { call.fail({.status = 502, .detail = reason_}); }
  void body_ready(host::Call&) override {}
  void writable(host::Call&) override {}
  void dropped(host::CallId, host::DropReason) override {}

 private:
  host::GuestContext& context_;
  std::string reason_;
};

}  // namespace

BuiltinKind::BuiltinKind(BuiltinOptions options) : options_(std::move(options)) {}

std::unique_ptr<host::Guest> BuiltinKind::create(host::GuestContext& context) {
  const std::string& which = context.definition().builtin;
  if (which == "files") return std::make_unique<Files>(context);
  if (!context.definition().path.empty()) {
    return std::make_unique<Refused>(context, "path: belongs to the built-in plug-in \"files\" only");
  }
  if (which == "health") return std::make_unique<Health>(context);
  if (which == "proxy") return std::make_unique<Proxy>(context);
  if (which == "registry") {
    if (!options_.registry_enabled || options_.control == nullptr) {
      return std::make_unique<Refused>(context, "the registry is switched off; start the server with -w to use it");
    }
    return std::make_unique<Registry>(context, *options_.control, options_.admin_token);
  }
  if (which == "browser") {
    if (options_.browser.delivery == BrowserDelivery::kOff || options_.control == nullptr) {
      return std::make_unique<Refused>(
          context,
          "browsers get no plug-ins from here; start the server with --browser to give them to whoever reaches it");
    }
    return std::make_unique<Browser>(context, *options_.control, options_.browser);
  }
  return std::make_unique<Refused>(context, "there is no built-in plug-in called \"" + which +
                                                "\"; known are health, registry, proxy, files and browser");
}

}  // namespace valor::plugins::builtin
