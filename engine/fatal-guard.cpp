#include "engine/fatal-guard.h"

#include <mutex>
#include <utility>

// Exported by the node binary; not in the headers that come with it. V8 calls the first function when an internal check
// fails, and the second right before it aborts for whatever reason.
// https://chromium.googlesource.com/v8/v8/+/refs/heads/main/src/base/logging.h
namespace v8::base {
void SetFatalFunction(void (*function)(const char* file, int line, const char* message));
void SetPrintStackTrace(void (*function)());
}  // namespace v8::base

namespace valor::engine {

namespace {

// V8 has one hook for the whole process and passes nothing to it, so the thread has to know.
thread_local std::function<void()>* t_give_up = nullptr;
thread_local bool t_check_failed = false;

void install() {
  v8::base::SetFatalFunction([](const char*, int, const char*) { t_check_failed = true; });
  v8::base::SetPrintStackTrace([] {
    if (t_check_failed || t_give_up == nullptr) return;
    // Once: giving up may fail in turn.
    (*std::exchange(t_give_up, nullptr))();
  });
}

}  // namespace

FatalGuard::FatalGuard(std::function<void()> give_up) : give_up_(std::move(give_up)) {
  static std::once_flag installed;
  std::call_once(installed, install);
  t_give_up = &give_up_;
}

FatalGuard::~FatalGuard() {
  t_give_up = nullptr;
}

}  // namespace valor::engine
