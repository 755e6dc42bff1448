#include "web/html/serialized-value.h"

#include <utility>

#include "web/html/clone-writer.h"

namespace valor::web {

class SerializedValueWriter final : public CloneWriter {
 public:
  SerializedValueWriter(v8::Local<v8::Context> context, v8::Local<v8::Function> make_error)
      : CloneWriter(context, make_error), packed_(v8::Array::New(isolate_)), result_(new SerializedValue()) {}

  std::shared_ptr<const SerializedValue> write(v8::Local<v8::Value> value) {
    if (!write(value, result_->value_)) return nullptr;
    // What is packed is plain: it holds no platform objects in turn.
    if (packed_->Length() > 0 && !write(packed_, result_->packed_)) return nullptr;
    return std::move(result_);
  }

  v8::Maybe<bool> WriteHostObject(v8::Isolate* isolate, v8::Local<v8::Object> object) override {
    PlatformClass found;
    if (find_platform_class(context_, object, found).IsNothing()) return v8::Nothing<bool>();
    if (found.pack.IsEmpty() || !found.pack->IsFunction()) return refuse(object);
    v8::Local<v8::Value> argument = object;
    v8::Local<v8::Value> parts;
    if (!found.pack.As<v8::Function>()->Call(isolate, context_, v8::Undefined(isolate), 1, &argument).ToLocal(&parts)) {
      return v8::Nothing<bool>();
    }
    if (!parts->IsArray()) return refuse(object);
    v8::Local<v8::Array> list = parts.As<v8::Array>();
    v8::Local<v8::Value> kind;
    v8::Local<v8::Value> data;
    v8::Local<v8::Value> handle = v8::Undefined(isolate);
    // Not beyond its length: what an array inherits may be the plug-in's.
    if (!list->Get(context_, 0).ToLocal(&kind) || !list->Get(context_, 1).ToLocal(&data) ||
        (list->Length() > 2 && !list->Get(context_, 2).ToLocal(&handle)) || !append(kind) || !append(data)) {
      return v8::Nothing<bool>();
    }
    EVP_PKEY* key = crypto::key_of(handle);
    if (key != nullptr) EVP_PKEY_up_ref(key);
    serializer_->WriteUint32(static_cast<uint32_t>(result_->keys_.size()));
    result_->keys_.emplace_back(key);
    return v8::Just(true);
  }

  v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate*, v8::Local<v8::WasmModuleObject> module) override {
    result_->modules_.push_back(module->GetCompiledModule());
    return v8::Just(static_cast<uint32_t>(result_->modules_.size() - 1));
  }

 private:
  bool append(v8::Local<v8::Value> value) {
    return packed_->CreateDataProperty(context_, packed_->Length(), value).FromMaybe(false);
  }

  bool write(v8::Local<v8::Value> value, SerializedValue::Bytes& bytes) {
    v8::ValueSerializer serializer(isolate_, this);
    serializer_ = &serializer;
    serializer.WriteHeader();
    const bool written = serializer.WriteValue(context_, value).FromMaybe(false);
    const auto [data, size] = serializer.Release();
    bytes = {std::unique_ptr<uint8_t, SerializedValue::Free>(data), size};
    return written;
  }

  v8::ValueSerializer* serializer_ = nullptr;
  v8::Local<v8::Array> packed_;
  std::shared_ptr<SerializedValue> result_;
};

class SerializedValueReader final : public v8::ValueDeserializer::Delegate {
 public:
  SerializedValueReader(v8::Local<v8::Context> context, const SerializedValue& serialized)
      : isolate_(v8::Isolate::GetCurrent()), context_(context), serialized_(serialized) {}

  v8::MaybeLocal<v8::Value> read(v8::Local<v8::Function> unpack) {
    // First of all, because while V8 reads, it lets no JavaScript run.
    if (serialized_.packed_.size > 0 && !unpack_all(unpack)) return {};
    return read(serialized_.value_);
  }

  v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate*) override {
    uint32_t index = 0;
    if (!deserializer_->ReadUint32(&index) || index >= objects_.size()) return {};
    return objects_[index];
  }

  v8::MaybeLocal<v8::WasmModuleObject> GetWasmModuleFromId(v8::Isolate* isolate, uint32_t id) override {
    if (id >= serialized_.modules_.size()) return {};
    return v8::WasmModuleObject::FromCompiledModule(isolate, serialized_.modules_[id]);
  }

 private:
  bool unpack_all(v8::Local<v8::Function> unpack) {
    v8::Local<v8::Value> packed;
    if (!read(serialized_.packed_).ToLocal(&packed) || !packed->IsArray()) return false;
    for (uint32_t index = 0; index < serialized_.keys_.size(); ++index) {
      v8::Local<v8::Value> arguments[3] = {{}, {}, v8::Undefined(isolate_)};
      if (!packed.As<v8::Array>()->Get(context_, 2 * index).ToLocal(&arguments[0]) ||
          !packed.As<v8::Array>()->Get(context_, 2 * index + 1).ToLocal(&arguments[1])) {
        return false;
      }
      if (EVP_PKEY* key = serialized_.keys_[index].get(); key != nullptr) {
        EVP_PKEY_up_ref(key);
        arguments[2] = crypto::make_handle(isolate_, crypto::Key(key));
      }
      v8::Local<v8::Value> object;
      if (!unpack->Call(isolate_, context_, v8::Undefined(isolate_), 3, arguments).ToLocal(&object)) return false;
      if (!object->IsObject()) return false;
      objects_.push_back(object.As<v8::Object>());
    }
    return true;
  }

  v8::MaybeLocal<v8::Value> read(const SerializedValue::Bytes& bytes) {
    v8::ValueDeserializer deserializer(isolate_, bytes.data.get(), bytes.size, this);
    deserializer_ = &deserializer;
    if (!deserializer.ReadHeader(context_).FromMaybe(false)) return {};
    return deserializer.ReadValue(context_);
  }

  v8::Isolate* isolate_;
  v8::Local<v8::Context> context_;
  const SerializedValue& serialized_;
  std::vector<v8::Local<v8::Object>> objects_;  // of the platform
  v8::ValueDeserializer* deserializer_ = nullptr;
};

std::shared_ptr<const SerializedValue> serialize(v8::Local<v8::Context> context, v8::Local<v8::Value> value,
                                                 v8::Local<v8::Function> make_error) {
  return SerializedValueWriter(context, make_error).write(value);
}

v8::MaybeLocal<v8::Value> deserialize(v8::Local<v8::Context> context, const SerializedValue& serialized,
                                      v8::Local<v8::Function> unpack) {
  return SerializedValueReader(context, serialized).read(unpack);
}

}  // namespace valor::web
