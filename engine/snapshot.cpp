#include "engine/snapshot.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/script-error.h"
#include "engine/snapshot-build.h"
#include "engine/task-queue.h"

namespace valor::engine {

namespace {

// FNV-1a over 64-bit words, to notice damage, not malice.
class Hash {
 public:
  void add(std::string_view bytes) {
    size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, 8);
      mix(word);
    }
    for (; at < bytes.size(); at++) mix(static_cast<unsigned char>(bytes[at]));
    mix(bytes.size());
  }
  uint64_t value() const { return value_; }

 private:
  void mix(uint64_t word) {
    value_ = (value_ ^ word) * 0x100000001b3;
    value_ ^= value_ >> 29;
  }
  uint64_t value_ = 0xcbf29ce484222325;
};

struct Header {
  char magic[8];
  uint64_t v8_version;
  uint64_t natives;
  uint64_t blob_size;
  uint64_t blob_hash;
};
constexpr char kMagic[8] = {'v', 'a', 'l', 'o', 'r', 's', 'n', '1'};

uint64_t hash_of(std::string_view bytes) {
  Hash hash;
  hash.add(bytes);
  return hash.value();
}

// What happens on the builder's own thread: an isolate for making a snapshot is entered by its creator.
core::Result<std::string> make_blob(node::MultiIsolatePlatform* platform, const NativeRegistry& registry,
                                    const std::string& source) {
  auto queue = std::make_shared<TaskQueue>();
  TaskQueueDelegate delegate(queue);
  std::vector<intptr_t> references = registry.external_references();
  std::unique_ptr<v8::ArrayBuffer::Allocator> allocator(v8::ArrayBuffer::Allocator::NewDefaultAllocator());
  v8::Isolate* isolate = v8::Isolate::Allocate();
  platform->RegisterIsolate(isolate, &delegate);
  v8::Isolate::CreateParams params;
  params.external_references = references.data();
  params.array_buffer_allocator = allocator.get();
  v8::StartupData blob{nullptr, 0};
  std::string error;
  {
    v8::SnapshotCreator creator(isolate, params);
    SnapshotBuild build;
    isolate->SetData(SnapshotBuild::kDataSlot, &build);
    {
      v8::HandleScope handles(isolate);
      v8::Local<v8::Context> context = v8::Context::New(isolate);
      v8::Context::Scope scope(context);
      v8::Local<v8::Object> natives = v8::Object::New(isolate);
      for (const auto& native : registry.natives()) {
        v8::Local<v8::FunctionTemplate> function =
            v8::FunctionTemplate::New(isolate, native.callback, {}, {}, 0, v8::ConstructorBehavior::kThrow);
        function->SetClassName(to_v8_name(isolate, native.name));
        natives->Set(context, to_v8_name(isolate, native.name), function->GetFunction(context).ToLocalChecked())
            .Check();
      }
      v8::Local<v8::String> global_name = to_v8_name(isolate, "__valor_natives");
      context->Global()->Set(context, global_name, natives).Check();
      v8::TryCatch guard(isolate);
      v8::ScriptOrigin origin(to_v8(isolate, "valor:platform"));
      v8::Local<v8::Script> script;
      v8::Local<v8::Value> result;
      if (!v8::Script::Compile(context, to_v8(isolate, source), &origin).ToLocal(&script) ||
          !script->Run(context).ToLocal(&result)) {
        error = "the platform's JavaScript failed: " + describe_exception(context, guard.Exception(), guard.Message());
      } else if (build.hooks.IsEmpty()) {
        error = "the platform's JavaScript did not call natives.setHooks";
      } else {
        isolate->PerformMicrotaskCheckpoint();
        context->Global()->Delete(context, global_name).Check();
        creator.AddData(context, build.hooks.Get(isolate));
      }
      build.hooks.Reset();
      creator.SetDefaultContext(context);
    }
    isolate->SetData(SnapshotBuild::kDataSlot, nullptr);
    // Compiled functions stay inside: an instance's first request would otherwise compile the platform again.
    blob = creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kKeep);
  }
  queue->close();
  platform->DisposeIsolate(isolate);
  std::string bytes(blob.data, static_cast<size_t>(blob.raw_size));
  delete[] blob.data;
  if (!error.empty()) return core::Error{error};
  return bytes;
}

}  // namespace

void set_v8_flags() {
  // Without it V8 drops the look at "should I stop?" from some loops, and then nothing can stop them.
  v8::V8::SetFlagsFromString("--no-turboshaft-loop-unrolling");
  // With it, loops of WebAssembly look only after 13 million bytes of code, which a loop of memory.fill or array.new
  // takes hours for. Without it, what runs is compiled by the optimizing compiler at once, in the background.
  v8::V8::SetFlagsFromString("--no-wasm-dynamic-tiering");
}

core::Status build_snapshot(node::MultiIsolatePlatform* platform, const NativeRegistry& registry,
                            const std::string& bundle_source, const std::string& out_path) {
  core::Result<std::string> blob = core::Error{};
  std::thread([&] { blob = make_blob(platform, registry, bundle_source); }).join();
  if (!blob) return blob.error();
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.v8_version = hash_of(v8::V8::GetVersion());
  header.natives = registry.fingerprint();
  header.blob_size = blob->size();
  header.blob_hash = hash_of(*blob);
  std::ofstream out(out_path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.write(blob->data(), static_cast<std::streamsize>(blob->size()));
  out.close();
  if (!out) return core::Error{"cannot write " + out_path + ": " + std::strerror(errno)};
  return core::Nothing{};
}

core::Result<std::shared_ptr<const Snapshot>> Snapshot::load(const std::string& path, const NativeRegistry& registry) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return core::Error{"cannot read the startup snapshot " + path + ": " + std::strerror(errno)};
  std::stringstream content;
  content << in.rdbuf();
  std::shared_ptr<Snapshot> snapshot(new Snapshot());
  snapshot->bytes_ = std::move(content).str();
  const std::string& bytes = snapshot->bytes_;
  auto refuse = [&](const char* why) {
    return core::Error{"the startup snapshot " + path + " " + why + "; build it again"};
  };
  Header header;
  if (bytes.size() < sizeof header) return refuse("is cut short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return refuse("is not a snapshot of this Valor");
  if (header.v8_version != hash_of(v8::V8::GetVersion())) return refuse("was made for another version of V8");
  if (header.natives != registry.fingerprint()) return refuse("was made for another build of Valor");
  std::string_view blob = std::string_view(bytes).substr(sizeof header);
  if (header.blob_size != blob.size() || header.blob_hash != hash_of(blob)) return refuse("is damaged");
  snapshot->blob_ = {blob.data(), static_cast<int>(blob.size())};
  snapshot->references_ = registry.external_references();
  return std::shared_ptr<const Snapshot>(snapshot);
}

}  // namespace valor::engine
