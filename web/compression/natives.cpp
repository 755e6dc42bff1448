// Codecs as JavaScript objects, for compression-streams.ts.
#include "web/natives.h"

#include <v8.h>

#include <cstring>
#include <optional>

#include "web/compression/codec.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// A codec is the content of an ArrayBuffer that no plug-in sees: V8 deletes it with the buffer, or with the isolate.
using Slot = std::unique_ptr<Codec>;

void delete_slot(void* data, size_t, void*) {
  delete static_cast<Slot*>(data);
}

std::optional<CompressionFormat> format_of(v8::Isolate* isolate, v8::Local<v8::Value> name) {
  v8::String::Utf8Value text(isolate, name);
  if (*text == nullptr) return std::nullopt;
  if (std::strcmp(*text, "deflate") == 0) return CompressionFormat::kDeflate;
  if (std::strcmp(*text, "deflate-raw") == 0) return CompressionFormat::kDeflateRaw;
  if (std::strcmp(*text, "gzip") == 0) return CompressionFormat::kGzip;
  if (std::strcmp(*text, "brotli") == 0) return CompressionFormat::kBrotli;
  return std::nullopt;
}

// createCodec(format: string, compress: boolean): ArrayBuffer, to be given to runCodec and to nothing else
void create_codec(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  std::optional<CompressionFormat> format = format_of(isolate, info[0]);
  if (!format) return;
  auto slot = std::make_unique<Slot>(info[1]->IsTrue() ? Codec::compressor(*format) : Codec::decompressor(*format));
  if (*slot == nullptr) return throw_range_error(isolate, "There is not enough memory for a compressor");
  std::unique_ptr<v8::BackingStore> store =
      v8::ArrayBuffer::NewBackingStore(slot.release(), sizeof(Slot), delete_slot, nullptr);
  info.GetReturnValue().Set(v8::ArrayBuffer::New(isolate, std::move(store)));
}

// runCodec(codec: ArrayBuffer, input: ArrayBuffer | ArrayBufferView, last: boolean, push: (piece) => void): string
// Returns what is wrong with the input; what came out before it was pushed all the same.
void run_codec(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!info[0]->IsArrayBuffer() || !info[3]->IsFunction()) return;
  std::shared_ptr<v8::BackingStore> store = info[0].As<v8::ArrayBuffer>()->GetBackingStore();
  Slot& codec = *static_cast<Slot*>(store->Data());
  // A copy: while pieces are pushed, code may run that changes or detaches the input.
  std::vector<uint8_t> input;
  if (info[1]->IsArrayBufferView()) {
    v8::Local<v8::ArrayBufferView> view = info[1].As<v8::ArrayBufferView>();
    input.resize(view->ByteLength());
    view->CopyContents(input.data(), input.size());
  } else if (info[1]->IsArrayBuffer()) {
    v8::Local<v8::ArrayBuffer> buffer = info[1].As<v8::ArrayBuffer>();
    const auto* data = static_cast<const uint8_t*>(buffer->Data());
    input.assign(data, data + buffer->ByteLength());
  }
  v8::Local<v8::Function> push = info[3].As<v8::Function>();
  bool pushing = true;
  std::string error =
      codec->write(input.data(), input.size(), info[2]->IsTrue(), [&](const uint8_t* data, size_t size) {
        if (!pushing) return;
        v8::HandleScope handles(isolate);
        v8::Local<v8::ArrayBuffer> buffer;
        if (!v8::ArrayBuffer::MaybeNew(isolate, size, v8::BackingStoreInitializationMode::kUninitialized)
                 .ToLocal(&buffer)) {
          throw_range_error(isolate, "Array buffer allocation failed");
          pushing = false;
          return;
        }
        std::memcpy(buffer->Data(), data, size);
        v8::Local<v8::Value> piece = v8::Uint8Array::New(buffer, 0, size);
        pushing = !push->Call(context, v8::Undefined(isolate), 1, &piece).IsEmpty();
      });
  if (!pushing) return;
  info.GetReturnValue().Set(v8::String::NewFromUtf8(isolate, error.c_str()).ToLocalChecked());
}

}  // namespace

void register_compression_natives(engine::NativeRegistry& registry) {
  registry.add("createCodec", create_codec);
  registry.add("runCodec", run_codec);
}

}  // namespace valor::web
