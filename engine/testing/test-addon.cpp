// The test program is a module for node: V8 lives there.
#define DOCTEST_CONFIG_IMPLEMENT
// V8 learns from SIGSEGV that WebAssembly has left its memory.
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#include "engine/testing/test-addon.h"

#include <doctest/doctest.h>

#include "engine/script-error.h"

namespace valor::engine::testing {

TestSetting& test_setting() {
  static TestSetting setting;
  return setting;
}

}  // namespace valor::engine::testing

namespace {

// run([buildFolder, ...doctestOptions]): the exit code
void run(const v8::FunctionCallbackInfo<v8::Value>& info) {
  using valor::engine::to_utf8;
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Array> list = info[0].As<v8::Array>();
  std::vector<std::string> words = {"test"};
  auto& setting = valor::engine::testing::test_setting();
  for (uint32_t at = 0; at < list->Length(); at++) {
    std::string word = to_utf8(isolate, list->Get(context, at).ToLocalChecked());
    (at == 0 ? setting.build_folder : words.emplace_back()) = word;
  }
  setting.platform = node::GetMultiIsolatePlatform(node::GetCurrentEnvironment(context));
  std::vector<const char*> pointers;
  for (const auto& word : words) pointers.push_back(word.c_str());
  doctest::Context tests(static_cast<int>(pointers.size()), pointers.data());
  info.GetReturnValue().Set(tests.run());
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "run", run);
}
