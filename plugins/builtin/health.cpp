#include "plugins/builtin/health.h"

#include "plugins/builtin/answers.h"

namespace valor::plugins::builtin {

Health::Health(host::GuestContext& context) : context_(context) {
  head_.headers.append("content-type", "application/json");
  head_.headers.append("cache-control", "no-store");
}

void Health::start() {
  ConfigReader config(context_.definition().config);
  const core::Status read = config.finish();
  if (!read) return context_.start_failed(read.error().message);
  context_.ready();
}

void Health::handle(host::Call& call) {
  const core::Request& request = call.request();
  if (!path_of(request.url).empty()) return respond_problem(context_, call, 404, "there is nothing below the mount");
  if (request.method != "GET" && request.method != "HEAD") {
    return respond_method_not_allowed(context_, call, "GET, HEAD");
  }
  call.respond(head_, R"({"status":"ok"})");
}

}  // namespace valor::plugins::builtin
