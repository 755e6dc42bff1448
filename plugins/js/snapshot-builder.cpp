// A module for node that makes the startup snapshot while Valor is built.
#include <node.h>

#include <fstream>
#include <sstream>

#include "engine/script-error.h"
#include "engine/snapshot.h"
#include "plugins/js/js-kind.h"

namespace {

// buildSnapshot(bundlePath, outPath): "" or what went wrong
void build_snapshot(const v8::FunctionCallbackInfo<v8::Value>& info) {
  using valor::engine::to_utf8;
  v8::Isolate* isolate = info.GetIsolate();
  std::string bundle = to_utf8(isolate, info[0]);
  std::ifstream in(bundle, std::ios::binary);
  std::stringstream source;
  source << in.rdbuf();
  std::string error;
  if (!in) {
    error = "cannot read " + bundle;
  } else {
    auto* platform = node::GetMultiIsolatePlatform(node::GetCurrentEnvironment(isolate->GetCurrentContext()));
    valor::core::Status status = valor::engine::build_snapshot(platform, valor::plugins::js::all_natives(),
                                                               source.str(), to_utf8(isolate, info[1]));
    if (!status) error = status.error().message;
  }
  info.GetReturnValue().Set(valor::engine::to_v8(isolate, error));
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "buildSnapshot", build_snapshot);
}
