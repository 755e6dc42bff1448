#include "plugins/wasm/wasm-guest.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <filesystem>
#include <utility>

#include "engine/script-error.h"
#include "plugins/wasm/host-imports.h"
#include "plugins/wasm/memory-cap.h"
#include "plugins/wasm/stop-watch.h"
#include "plugins/wasm/trap-stack.h"

namespace valor::plugins::wasm {

namespace {

// The first block that is asked for: most heads of requests fit.
constexpr uint32_t kFirstBlock = 2048;
// What valor_destroy() may take: nobody waits for it any more.
constexpr std::chrono::milliseconds kDestroyTime{1000};

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

WasmGuest::WasmGuest(host::GuestContext& context, WasmKind& kind)
    : AbiGuest(context, kind.open_network_), kind_(kind), number_(next_number()) {}

WasmGuest::~WasmGuest() {
  if (isolate_ == nullptr) return;
  destroy();
  {
    const std::lock_guard lock(interrupt_mutex_);
    interruptible_ = nullptr;
  }
  memory_.Reset();
  for (Function* function : {&initialise_, &abi_, &alloc_, &free_, &create_, &start_, &complete_, &drop_, &destroy_})
    function->Reset();
  const net::EventLoop::Outside outside(loop());
  isolate_.reset();
}

// Not through run(), which might report a breakdown of what is gone.
void WasmGuest::destroy() {
  if (!has_self_ || over() || isolate_->dead()) return;
  const net::EventLoop::Outside outside(loop());
  const StopWatch watch(kDestroyTime, [this] { isolate_->terminate(); });
  const v8::HandleScope handles(isolate_->v8());
  const v8::TryCatch guard(isolate_->v8());
  in_call_ = true;
  const bool returned = call(destroy_, {int32(static_cast<uint32_t>(self_))});
  in_call_ = false;
  if (returned) return;
  log(core::LogLevel::kError, isolate_->dead() ? "valor_destroy() took longer than a second and was stopped"
                                               : "the plug-in trapped in valor_destroy()");
}

template <class Body>
bool WasmGuest::run(Body body) {
  if (over()) return false;
  bool returned = false;
  {
    const net::EventLoop::Outside outside(loop());
    const v8::HandleScope handles(isolate_->v8());
    const v8::TryCatch guard(isolate_->v8());
    in_call_ = true;
    returned = body();
    in_call_ = false;
    if (!returned) describe_failure(guard);
  }
  if (returned && !aborted() && !isolate_->dead()) return true;
  give_up();
  return false;
}

void WasmGuest::give_up() {
  const core::Limits& limits = definition().limits;
  host::Breakdown breakdown;
  if (aborted()) {
    breakdown.detail = "The plug-in gave up: " + *aborted();
    breakdown.stack = stack_;
  } else if (isolate_->memory().tripped()) {
    breakdown.detail = "The plug-in used more memory than its limit allows.";
    breakdown.limit = "memory_mb";
    breakdown.limit_value = limits.memory_mb;
  } else if (isolate_->terminated()) {
    breakdown.detail = "The plug-in computed for longer than its limit allows and was stopped.";
  } else {
    breakdown.detail = failure_;
    breakdown.stack = stack_;
  }
  break_down(std::move(breakdown));
}

// ---- creation

core::Status WasmGuest::make_isolate() {
  engine::IsolateTenant tenant;
  tenant.log = &context().log();
  tenant.name = definition().name;
  tenant.wake = [loop = &loop()] { loop->wake(); };
  tenant.owner = this;
  fatal_guard_ = std::make_unique<engine::FatalGuard>([this] {
    context().lost(
        {.detail = "The plug-in asked for more memory in one piece than the engine can give, and was stopped.",
         .limit = "memory_mb",
         .limit_value = definition().limits.memory_mb});
  });
  core::Result<std::unique_ptr<engine::Isolate>> made = core::Error{};
  {
    const net::EventLoop::Outside outside(loop());
    made = kind_.stock_.take(kind_.blueprint(definition().limits));
  }
  if (!made) return made.error();
  isolate_ = std::move(made).value();
  isolate_->move_in(std::move(tenant));
  const std::lock_guard lock(interrupt_mutex_);
  interruptible_ = isolate_.get();
  if (interrupted_) isolate_->terminate();
  return core::Nothing{};
}

void WasmGuest::start() {
  if (definition().fetch == core::FetchRules::kBrowser) {
    return context().start_failed("\"fetch\": \"browser\" is for JavaScript; WASM plug-ins fetch as servers do");
  }
  if (const core::Status made = make_isolate(); !made) return context().start_failed(made.error().message);
  core::Status done = core::Nothing{};
  if (!run([&] { return load(done); })) return;
  if (!done) return context().start_failed(done.error().message);
  if (!run([&] { return create(done); })) return;
  if (!done) return context().start_failed(done.error().message);
  created();
}

bool WasmGuest::load(core::Status& loaded) {
  core::Result<std::shared_ptr<const Module>> module = kind_.modules_.load(
      isolate_->v8(), definition().url, definition().limits.memory_mb, {definition().integrity, definition().url});
  if (isolate_->dead()) return false;
  if (!module) {
    loaded = module.error();
    return true;
  }
  module_ = std::move(module).value();
  return instantiate();
}

bool WasmGuest::instantiate() {
  v8::Isolate* isolate = isolate_->v8();
  const v8::Local<v8::Context> context = isolate_->context();
  auto name = [&](std::string_view text) { return engine::to_v8_name(isolate, text); };

  v8::Local<v8::WasmModuleObject> module;
  if (!v8::WasmModuleObject::FromCompiledModule(isolate, module_->compiled).ToLocal(&module)) return false;
  const v8::Local<v8::Object> functions = v8::Object::New(isolate);
  for (const size_t index : module_->imports) {
    v8::Local<v8::Function> function;
    if (!v8::Function::New(context, host_callbacks()[index], {}, 0, v8::ConstructorBehavior::kThrow)
             .ToLocal(&function) ||
        functions->CreateDataProperty(context, name(host_functions()[index].name), function).IsNothing()) {
      return false;
    }
  }
  const v8::Local<v8::Object> imports = v8::Object::New(isolate);
  if (imports->CreateDataProperty(context, name(kHostModule), functions).IsNothing()) return false;

  v8::Local<v8::Value> api;
  v8::Local<v8::Value> constructor;
  v8::Local<v8::Object> instance;
  v8::Local<v8::Value> value;
  v8::Local<v8::Value> arguments[] = {module, imports};
  if (!context->Global()->Get(context, name("WebAssembly")).ToLocal(&api) ||
      !api.As<v8::Object>()->Get(context, name("Instance")).ToLocal(&constructor) ||
      !constructor.As<v8::Function>()->NewInstance(context, 2, arguments).ToLocal(&instance) ||
      !instance->Get(context, name("exports")).ToLocal(&value)) {
    return false;
  }
  const v8::Local<v8::Object> exports = value.As<v8::Object>();
  auto keep = [&]<class Type>(std::string_view exported, v8::Global<Type>& global) {
    v8::Local<v8::Value> found;
    if (!exports->Get(context, name(exported)).ToLocal(&found)) return false;
    global.Reset(isolate, found.As<Type>());
    return true;
  };
  if (module_->initialises && !keep("_initialize", initialise_)) return false;
  return keep("memory", memory_) && keep("valor_abi", abi_) && keep("valor_alloc", alloc_) &&
         keep("valor_free", free_) && keep("valor_create", create_) && keep("valor_start", start_) &&
         keep("valor_complete", complete_) && keep("valor_drop", drop_) && keep("valor_destroy", destroy_);
}

bool WasmGuest::create(core::Status& created) {
  if (module_->initialises && !call(initialise_, {})) return false;
  int32_t version = 0;
  if (!call(abi_, {}, version)) return false;
  if (static_cast<uint32_t>(version) != VALOR_ABI_VERSION) {
    created = core::Error{definition().url + ": needs version " + std::to_string(static_cast<uint32_t>(version)) +
                          " of the plug-in ABI, and this Valor speaks version " + std::to_string(VALOR_ABI_VERSION) +
                          ": compile it with this Valor's SDK"};
    return true;
  }
  has_self_ = call(create_, {int64(number_)}, self_);
  return has_self_;
}

// ---- the guest's functions

bool WasmGuest::call(const Function& function, std::initializer_list<v8::Local<v8::Value>> arguments, int32_t& result) {
  v8::Isolate* isolate = isolate_->v8();
  v8::Local<v8::Value> value;
  if (!function.Get(isolate)
           ->Call(isolate, isolate_->context(), v8::Undefined(isolate), static_cast<int>(arguments.size()),
                  const_cast<v8::Local<v8::Value>*>(arguments.begin()))
           .ToLocal(&value)) {
    return false;
  }
  result = value->IsInt32() ? value.As<v8::Int32>()->Value() : 0;
  return true;
}

bool WasmGuest::call(const Function& function, std::initializer_list<v8::Local<v8::Value>> arguments) {
  int32_t ignored = 0;
  return call(function, arguments, ignored);
}

v8::Local<v8::Value> WasmGuest::int32(uint32_t value) const {
  return v8::Integer::New(isolate_->v8(), static_cast<int32_t>(value));
}

v8::Local<v8::Value> WasmGuest::int64(uint64_t value) const {
  return v8::BigInt::NewFromUnsigned(isolate_->v8(), value);
}

bool WasmGuest::put(const void* data, size_t size) {
  if (size > block_size_ && !grow_block(size)) return false;
  if (size == 0) return true;
  const MemoryView memory = this->memory();
  std::memcpy(memory.at(block_), data, size);
  return true;
}

bool WasmGuest::grow_block(size_t size) {
  if (size > UINT32_MAX / 2) {
    failure_ = "what the host has to pass does not fit into the plug-in's memory";
    return false;
  }
  const uint32_t wanted = std::bit_ceil(std::max(static_cast<uint32_t>(size), kFirstBlock));
  if (block_size_ > 0) {
    const uint32_t old_size = std::exchange(block_size_, 0);
    if (!call(free_, {int32(block_), int32(old_size)})) return false;
  }
  int32_t given = 0;
  if (!call(alloc_, {int32(wanted)}, given)) return false;
  const auto pointer = static_cast<uint32_t>(given);
  const std::string asked = "valor_alloc(" + std::to_string(wanted) + ") returned " + std::to_string(pointer);
  if (pointer == 0) {
    failure_ = "The plug-in has no memory left: " + asked +
               " (memory_mb: " + std::to_string(definition().limits.memory_mb) + ").";
  } else if (pointer % 8 != 0) {
    failure_ = "The plug-in breaks the plug-in ABI: " + asked + ", which is not aligned to 8 bytes.";
  } else if (!memory().holds(pointer, wanted)) {
    failure_ = "The plug-in breaks the plug-in ABI: " + asked + ", which is not within its memory.";
  } else {
    block_ = pointer;
    block_size_ = wanted;
    return true;
  }
  return false;
}

void WasmGuest::guest_start(uint64_t request, const void* head, size_t head_size) {
  run([&] {
    return put(head, head_size) && call(start_, {int32(static_cast<uint32_t>(self_)), int64(request), int32(block_),
                                                 int32(static_cast<uint32_t>(head_size))});
  });
}

void WasmGuest::guest_complete(uint64_t operation, int32_t status, std::string_view data) {
  run([&] {
    return put(data.data(), data.size()) &&
           call(complete_, {int32(static_cast<uint32_t>(self_)), int64(operation), int32(static_cast<uint32_t>(status)),
                            int32(data.empty() ? 0 : block_), int32(static_cast<uint32_t>(data.size()))});
  });
}

void WasmGuest::guest_drop(uint64_t request, uint32_t reason) {
  run([&] { return call(drop_, {int32(static_cast<uint32_t>(self_)), int64(request), int32(reason)}); });
}

// ---- what goes wrong

std::string WasmGuest::stack_of(v8::Local<v8::Value> exception) const {
  const std::string text = engine::describe_exception(isolate_->context(), exception, {});
  const size_t frames = text.find("\n    at ");
  if (frames == std::string::npos) return {};
  const std::string file = std::filesystem::path(definition().url).filename().string();
  return readable_stack(std::string_view(text).substr(frames), file, module_ ? module_->moved_bytes : 0);
}

void WasmGuest::describe_failure(const v8::TryCatch& guard) {
  if (!guard.HasCaught() || guard.HasTerminated() || isolate_->dead()) return;
  std::string what = engine::to_utf8(isolate_->v8(), guard.Message()->Get());
  for (const std::string_view prefix : {"Uncaught ", "RuntimeError: ", "RangeError: ", "WebAssembly.Instance(): "}) {
    if (what.starts_with(prefix)) what.erase(0, prefix.size());
  }
  // A WebAssembly.Exception has no words of its own.
  if (what == "#<Exception>") what = "an exception that nobody caught";
  stack_ = stack_of(guard.Exception());
  failure_ = "The plug-in trapped: " + what;
  if (!stack_.empty()) failure_ += " (" + stack_.substr(0, stack_.find('\n')) + ")";
  failure_ += '.';
}

void WasmGuest::refuse(const char* function, uint32_t pointer, uint32_t size, size_t memory_size) {
  log(core::LogLevel::kError, std::string(function) + "(): " + std::to_string(size) + " bytes at " +
                                  std::to_string(pointer) + " are not within the plug-in's memory, which has " +
                                  std::to_string(memory_size));
}

void WasmGuest::unwind() {
  v8::Isolate* isolate = isolate_->v8();
  const v8::HandleScope handles(isolate);
  const v8::Local<v8::Value> error = v8::Exception::Error(engine::to_v8_name(isolate, "stopped"));
  // A guest that catches whatever is thrown does not get far: it is terminated as well.
  if (!isolate_->dead()) {
    stack_ = stack_of(error);
    isolate_->terminate();
  }
  isolate->ThrowException(error);
}

MemoryView WasmGuest::memory() const {
  return memory_.IsEmpty() ? MemoryView() : view_of(memory_.Get(isolate_->v8()));
}

// ---- the loop

bool WasmGuest::work() {
  bool more = false;
  if (isolate_ != nullptr && !over()) {
    if (isolate_->dead()) {
      give_up();
    } else if (isolate_->wait_ms() == 0) {
      const net::EventLoop::Outside outside(loop());
      more = isolate_->run_due();
    }
  }
  return AbiGuest::work() || (more && !over());
}

int WasmGuest::wait_ms() {
  if (isolate_ == nullptr || over()) return -1;
  const int guest = AbiGuest::wait_ms();
  const int engine = isolate_->wait_ms();
  return guest < 0 || engine < 0 ? std::max(guest, engine) : std::min(guest, engine);
}

void WasmGuest::probe() {
  const std::lock_guard lock(interrupt_mutex_);
  if (interruptible_ != nullptr) interruptible_->request_memory_check();
}

bool WasmGuest::interrupt() {
  const std::lock_guard lock(interrupt_mutex_);
  interrupted_ = true;
  if (interruptible_ != nullptr) interruptible_->terminate();
  return true;
}

}  // namespace valor::plugins::wasm
