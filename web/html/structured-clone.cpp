// Copies a value by the structured clone algorithm with V8's serializer:
// https://html.spec.whatwg.org/multipage/structured-data.html#structuredserializewithtransfer
#include <v8.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "web/natives.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

v8::Local<v8::Private> platform_mark(v8::Isolate* isolate) {
  return v8::Private::ForApi(
      isolate, v8::String::NewFromUtf8Literal(isolate, "valor:platformObject", v8::NewStringType::kInternalized));
}

/// How objects of a platform class are cloned or transferred: the functions given to markPlatformPrototype; either may
/// be undefined. `holder` is the prototype that has the mark.
struct PlatformClass {
  v8::Local<v8::Value> clone;
  v8::Local<v8::Value> transfer;
};

/// What the byte form cannot hold: it is handed over beside it. Valid on the same thread only.
struct Attachments {
  std::vector<v8::Local<v8::Object>> sent;      // platform objects in the transfer list
  std::vector<v8::Local<v8::Object>> received;  // what becomes of each
  // Global, because V8 hands over what it writes in a handle scope of its own.
  std::vector<v8::Global<v8::Object>> clones;  // of platform objects, made while writing
  std::vector<v8::Global<v8::SharedArrayBuffer>> shared_buffers;
  std::vector<v8::CompiledWasmModule> modules;
};

class Writer : public v8::ValueSerializer::Delegate {
 public:
  Writer(v8::Isolate* isolate, v8::Local<v8::Context> context, v8::Local<v8::Function> make_error)
      : isolate_(isolate), context_(context), make_error_(make_error) {}

  void ThrowDataCloneError(v8::Local<v8::String> message) override {
    v8::Local<v8::Value> argument = message;
    v8::Local<v8::Value> error;
    if (make_error_->Call(context_, v8::Undefined(isolate_), 1, &argument).ToLocal(&error)) {
      isolate_->ThrowException(error);
    }
  }

  // Objects of the platform are ordinary objects to V8: what marks them is their prototype.
  bool HasCustomHostObject(v8::Isolate*) override { return true; }

  v8::Maybe<bool> IsHostObject(v8::Isolate* isolate, v8::Local<v8::Object> object) override {
    PlatformClass ignored;
    return find_class(object, ignored);
  }

  v8::Maybe<bool> WriteHostObject(v8::Isolate* isolate, v8::Local<v8::Object> object) override {
    for (size_t i = 0; i < attachments_.sent.size(); i++) {
      if (attachments_.sent[i] != object) continue;
      serializer_->WriteUint32(kTransferred);
      serializer_->WriteUint32(static_cast<uint32_t>(i));
      return v8::Just(true);
    }
    PlatformClass found;
    if (find_class(object, found).IsNothing()) return v8::Nothing<bool>();
    if (!found.clone.IsEmpty() && found.clone->IsFunction()) {
      v8::Local<v8::Value> argument = object;
      v8::Local<v8::Value> copy;
      if (!found.clone.As<v8::Function>()->Call(context_, v8::Undefined(isolate), 1, &argument).ToLocal(&copy)) {
        return v8::Nothing<bool>();
      }
      if (copy->IsObject()) {
        serializer_->WriteUint32(kCloned);
        serializer_->WriteUint32(static_cast<uint32_t>(attachments_.clones.size()));
        attachments_.clones.emplace_back(isolate, copy.As<v8::Object>());
        return v8::Just(true);
      }
    }
    v8::Local<v8::String> name = object->GetConstructorName();
    v8::Local<v8::String> text = v8::String::NewFromUtf8Literal(isolate, " object could not be cloned.");
    ThrowDataCloneError(v8::String::Concat(isolate, name, text));
    return v8::Nothing<bool>();
  }

  /// Whether the object is one of the platform.
  v8::Maybe<bool> find_class(v8::Local<v8::Object> object, PlatformClass& found) {
    v8::Local<v8::Private> mark = platform_mark(isolate_);
    for (v8::Local<v8::Value> holder = object->GetPrototypeV2(); holder->IsObject() && !holder->IsProxy();
         holder = holder.As<v8::Object>()->GetPrototypeV2()) {
      v8::Local<v8::Value> functions;
      if (!holder.As<v8::Object>()->GetPrivate(context_, mark).ToLocal(&functions)) return v8::Nothing<bool>();
      if (!functions->IsArray()) continue;
      if (!functions.As<v8::Array>()->Get(context_, 0).ToLocal(&found.clone) ||
          !functions.As<v8::Array>()->Get(context_, 1).ToLocal(&found.transfer)) {
        return v8::Nothing<bool>();
      }
      return v8::Just(true);
    }
    return v8::Just(false);
  }

  void set_serializer(v8::ValueSerializer* serializer) { serializer_ = serializer; }

  v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate*, v8::Local<v8::SharedArrayBuffer> buffer) override {
    auto& buffers = attachments_.shared_buffers;
    for (size_t i = 0; i < buffers.size(); i++) {
      if (buffers[i] == buffer) return v8::Just(static_cast<uint32_t>(i));
    }
    buffers.emplace_back(isolate_, buffer);
    return v8::Just(static_cast<uint32_t>(buffers.size() - 1));
  }

  v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate*, v8::Local<v8::WasmModuleObject> module) override {
    attachments_.modules.push_back(module->GetCompiledModule());
    return v8::Just(static_cast<uint32_t>(attachments_.modules.size() - 1));
  }

  // One long string in many places is written as often: no copy may be larger than all that the isolate may hold.
  void* ReallocateBufferMemory(void* old_buffer, size_t size, size_t* actual_size) override {
    if (limit_ == 0) {
      v8::HeapStatistics statistics;
      isolate_->GetHeapStatistics(&statistics);
      limit_ = statistics.heap_size_limit();
    }
    if (size > limit_) return nullptr;
    *actual_size = size;
    return std::realloc(old_buffer, size);
  }

  Attachments& attachments() { return attachments_; }

  static constexpr uint32_t kCloned = 0;
  static constexpr uint32_t kTransferred = 1;

 private:
  v8::ValueSerializer* serializer_ = nullptr;
  v8::Isolate* isolate_;
  v8::Local<v8::Context> context_;
  v8::Local<v8::Function> make_error_;
  Attachments attachments_;
  size_t limit_ = 0;
};

class Reader : public v8::ValueDeserializer::Delegate {
 public:
  explicit Reader(Attachments& attachments) : attachments_(attachments) {}

  v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate* isolate) override {
    uint32_t kind = 0;
    uint32_t index = 0;
    if (!deserializer_->ReadUint32(&kind) || !deserializer_->ReadUint32(&index)) return {};
    if (kind == Writer::kTransferred) {
      if (index >= attachments_.received.size()) return {};
      return attachments_.received[index];
    }
    if (index >= attachments_.clones.size()) return {};
    return attachments_.clones[index].Get(isolate);
  }

  Attachments& attachments() { return attachments_; }
  void set_deserializer(v8::ValueDeserializer* deserializer) { deserializer_ = deserializer; }

  v8::MaybeLocal<v8::SharedArrayBuffer> GetSharedArrayBufferFromId(v8::Isolate* isolate, uint32_t id) override {
    if (id >= attachments_.shared_buffers.size()) return {};
    return attachments_.shared_buffers[id].Get(isolate);
  }

  v8::MaybeLocal<v8::WasmModuleObject> GetWasmModuleFromId(v8::Isolate* isolate, uint32_t id) override {
    if (id >= attachments_.modules.size()) return {};
    return v8::WasmModuleObject::FromCompiledModule(isolate, attachments_.modules[id]);
  }

 private:
  v8::ValueDeserializer* deserializer_ = nullptr;
  Attachments& attachments_;
};

/// The buffers of a transfer list; false when an entry cannot be transferred (an exception is then pending). Its
/// platform objects go to the writer's attachments, with the functions that transfer them in `transfers`.
bool collect_transfer(v8::Isolate* isolate, v8::Local<v8::Array> list, Writer& writer,
                      std::vector<v8::Local<v8::ArrayBuffer>>& buffers,
                      std::vector<v8::Local<v8::Function>>& transfers) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  std::vector<v8::Local<v8::Object>>& sent = writer.attachments().sent;
  auto refuse = [&](const char* why) {
    writer.ThrowDataCloneError(v8::String::NewFromUtf8(isolate, why).ToLocalChecked());
    return false;
  };
  for (uint32_t i = 0; i < list->Length(); i++) {
    v8::Local<v8::Value> entry;
    if (!list->Get(context, i).ToLocal(&entry)) return false;
    if (entry->IsArrayBuffer() && entry.As<v8::ArrayBuffer>()->IsDetachable()) {
      v8::Local<v8::ArrayBuffer> buffer = entry.As<v8::ArrayBuffer>();
      bool repeated = false;
      for (v8::Local<v8::ArrayBuffer> earlier : buffers) repeated = repeated || earlier == buffer;
      if (repeated || buffer->WasDetached()) {
        return refuse("An ArrayBuffer in the transfer list is detached or listed twice.");
      }
      buffers.push_back(buffer);
      continue;
    }
    PlatformClass found;
    if (entry->IsObject() && !entry->IsProxy()) {
      if (writer.find_class(entry.As<v8::Object>(), found).IsNothing()) return false;
    }
    if (found.transfer.IsEmpty() || !found.transfer->IsFunction()) {
      return refuse("A value in the transfer list cannot be transferred.");
    }
    for (v8::Local<v8::Object> earlier : sent) {
      if (earlier == entry) return refuse("An object is in the transfer list twice.");
    }
    sent.push_back(entry.As<v8::Object>());
    transfers.push_back(found.transfer.As<v8::Function>());
  }
  return true;
}

// structuredClone(value: unknown, transfer: unknown[], makeError: (message: string) => unknown): [unknown, unknown[]]
// The copy, and what has become of the platform objects in the transfer list.
void structured_clone(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!info[1]->IsArray() || !info[2]->IsFunction()) return;
  // A string is immutable and every other primitive is a value: they are their own copies.
  const bool lists = info[1].As<v8::Array>()->Length() > 0;
  if (!lists && !info[0]->IsObject() && !info[0]->IsSymbol()) {
    v8::Local<v8::Value> result[] = {info[0], v8::Array::New(isolate)};
    info.GetReturnValue().Set(v8::Array::New(isolate, result, 2));
    return;
  }

  Writer writer(isolate, context, info[2].As<v8::Function>());
  std::vector<v8::Local<v8::ArrayBuffer>> buffers;
  std::vector<v8::Local<v8::Function>> transfers;
  if (!collect_transfer(isolate, info[1].As<v8::Array>(), writer, buffers, transfers)) return;

  v8::ValueSerializer serializer(isolate, &writer);
  writer.set_serializer(&serializer);
  for (size_t i = 0; i < buffers.size(); i++) serializer.TransferArrayBuffer(static_cast<uint32_t>(i), buffers[i]);
  serializer.WriteHeader();
  bool written = false;
  bool serialized = serializer.WriteValue(context, info[0]).To(&written) && written;
  std::pair<uint8_t*, size_t> data = serializer.Release();
  if (serialized) {
    // A getter may have detached a buffer while the value was written.
    for (v8::Local<v8::ArrayBuffer> buffer : buffers) {
      if (serialized && buffer->WasDetached()) {
        writer.ThrowDataCloneError(
            v8::String::NewFromUtf8Literal(isolate, "An ArrayBuffer in the transfer list is detached."));
        serialized = false;
      }
    }
  }
  if (serialized) {
    Reader reader(writer.attachments());
    v8::ValueDeserializer deserializer(isolate, data.first, data.second, &reader);
    reader.set_deserializer(&deserializer);
    for (size_t i = 0; i < buffers.size(); i++) {
      std::shared_ptr<v8::BackingStore> store = buffers[i]->GetBackingStore();
      if (buffers[i]->Detach(v8::Local<v8::Value>()).IsNothing()) {
        serialized = false;
        break;
      }
      deserializer.TransferArrayBuffer(static_cast<uint32_t>(i), v8::ArrayBuffer::New(isolate, std::move(store)));
    }
    std::vector<v8::Local<v8::Value>> received;
    for (size_t i = 0; serialized && i < transfers.size(); i++) {
      v8::Local<v8::Value> argument = reader.attachments().sent[i];
      v8::Local<v8::Value> object;
      serialized =
          transfers[i]->Call(context, v8::Undefined(isolate), 1, &argument).ToLocal(&object) && object->IsObject();
      if (!serialized) break;
      reader.attachments().received.push_back(object.As<v8::Object>());
      received.push_back(object);
    }
    v8::Local<v8::Value> copy;
    if (serialized && deserializer.ReadHeader(context).FromMaybe(false) &&
        deserializer.ReadValue(context).ToLocal(&copy)) {
      v8::Local<v8::Value> result[] = {copy, v8::Array::New(isolate, received.data(), received.size())};
      info.GetReturnValue().Set(v8::Array::New(isolate, result, 2));
    }
  }
  std::free(data.first);
}

// markPlatformPrototype(prototype: object, clone?: (object) => object, transfer?: (object) => object)
void mark_platform_prototype(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  if (!info[0]->IsObject()) return;
  v8::Local<v8::Value> functions[] = {info[1], info[2]};
  info[0]
      .As<v8::Object>()
      ->SetPrivate(isolate->GetCurrentContext(), platform_mark(isolate), v8::Array::New(isolate, functions, 2))
      .Check();
}

}  // namespace

void register_structured_clone_natives(engine::NativeRegistry& registry) {
  registry.add("structuredClone", structured_clone);
  registry.add("markPlatformPrototype", mark_platform_prototype);
}

}  // namespace valor::web
