// Copies a value by the structured clone algorithm with V8's serializer:
// https://html.spec.whatwg.org/multipage/structured-data.html#structuredserializewithtransfer
#include <v8.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "web/html/clone-writer.h"
#include "web/natives.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

/// What the byte form cannot hold: it is handed over beside it. Valid on the same thread only.
struct Attachments {
  std::vector<v8::Local<v8::Object>> sent;      // platform objects in the transfer list
  std::vector<v8::Local<v8::Object>> received;  // what becomes of each
  // Global, because V8 hands over what it writes in a handle scope of its own.
  std::vector<v8::Global<v8::Object>> clones;  // of platform objects, made while writing
  std::vector<v8::CompiledWasmModule> modules;
};

class Writer final : public CloneWriter {
 public:
  using CloneWriter::CloneWriter;

  v8::Maybe<bool> WriteHostObject(v8::Isolate* isolate, v8::Local<v8::Object> object) override {
    for (size_t i = 0; i < attachments_.sent.size(); i++) {
      if (attachments_.sent[i] != object) continue;
      serializer_->WriteUint32(kTransferred);
      serializer_->WriteUint32(static_cast<uint32_t>(i));
      return v8::Just(true);
    }
    PlatformClass found;
    if (find_platform_class(context_, object, found).IsNothing()) return v8::Nothing<bool>();
    if (!found.clone.IsEmpty() && found.clone->IsFunction()) {
      v8::Local<v8::Value> argument = object;
      v8::Local<v8::Value> copy;
      if (!found.clone.As<v8::Function>()
               ->Call(isolate, context_, v8::Undefined(isolate), 1, &argument)
               .ToLocal(&copy)) {
        return v8::Nothing<bool>();
      }
      if (copy->IsObject()) {
        serializer_->WriteUint32(kCloned);
        serializer_->WriteUint32(static_cast<uint32_t>(attachments_.clones.size()));
        attachments_.clones.emplace_back(isolate, copy.As<v8::Object>());
        return v8::Just(true);
      }
    }
    return refuse(object);
  }

  v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate*, v8::Local<v8::WasmModuleObject> module) override {
    attachments_.modules.push_back(module->GetCompiledModule());
    return v8::Just(static_cast<uint32_t>(attachments_.modules.size() - 1));
  }

  void set_serializer(v8::ValueSerializer* serializer) { serializer_ = serializer; }
  Attachments& attachments() { return attachments_; }

  static constexpr uint32_t kCloned = 0;
  static constexpr uint32_t kTransferred = 1;

 private:
  v8::ValueSerializer* serializer_ = nullptr;
  Attachments attachments_;
};

class Reader final : public v8::ValueDeserializer::Delegate {
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
      if (find_platform_class(context, entry.As<v8::Object>(), found).IsNothing()) return false;
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

  Writer writer(context, info[2].As<v8::Function>());
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

// markPlatformPrototype(prototype: object, clone?: (object) => object, transfer?: (object) => object, pack?: (object)
// => [])
void mark_platform_prototype(const Info& info) {
  v8::Local<v8::Context> context = info.GetIsolate()->GetCurrentContext();
  if (info[0]->IsObject()) mark_platform_class(context, info[0].As<v8::Object>(), {info[1], info[2], info[3]});
}

}  // namespace

void register_structured_clone_natives(engine::NativeRegistry& registry) {
  registry.add("structuredClone", structured_clone);
  registry.add("markPlatformPrototype", mark_platform_prototype);
}

}  // namespace valor::web
