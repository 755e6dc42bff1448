#include "engine/script-error.h"

#include <algorithm>

namespace valor::engine {

namespace {

// A minified bundle is one line of megabytes.
constexpr size_t kLongestSourceLine = 200;

std::string place_of(v8::Local<v8::Context> context, v8::Local<v8::Message> message) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  int line = message->GetLineNumber(context).FromMaybe(0);
  if (line == 0) return {};
  int column = message->GetStartColumn(context).FromMaybe(0);
  return to_utf8(isolate, message->GetScriptOrigin().ResourceName()) + ":" + std::to_string(line) + ":" +
         std::to_string(column + 1);
}

std::string source_excerpt(v8::Local<v8::Context> context, v8::Local<v8::Message> message) {
  v8::Local<v8::String> line;
  if (!message->GetSourceLine(context).ToLocal(&line)) return {};
  std::string text = to_utf8(v8::Isolate::GetCurrent(), line);
  if (text.empty() || text.size() > kLongestSourceLine) return {};
  auto start = static_cast<size_t>(std::max(0, message->GetStartColumn(context).FromMaybe(0)));
  auto end = static_cast<size_t>(std::max(0, message->GetEndColumn(context).FromMaybe(0)));
  start = std::min(start, text.size());
  std::string marks(start, ' ');
  for (size_t at = 0; at < start; at++) {
    if (text[at] == '\t') marks[at] = '\t';
  }
  marks.append(std::clamp<size_t>(end - start, 1, text.size() - start + 1), '^');
  return text + "\n" + marks + "\n";
}

// Frames of the platform itself at the end of a stack say nothing about the plug-in: cuts them off.
void drop_platform_frames(std::string& stack) {
  for (;;) {
    size_t last = stack.rfind("\n    at ");
    if (last == std::string::npos) return;
    std::string_view frame = std::string_view(stack).substr(last);
    if (frame.find('\n', 1) != std::string_view::npos || frame.find("valor:") == std::string_view::npos) return;
    stack.resize(last);
  }
}

}  // namespace

std::string to_utf8(v8::Isolate* isolate, v8::Local<v8::Value> value) {
  if (value.IsEmpty()) return {};
  v8::TryCatch guard(isolate);
  v8::String::Utf8Value text(isolate, value);
  return *text != nullptr ? std::string(*text, text.length()) : std::string();
}

v8::Local<v8::String> to_v8(v8::Isolate* isolate, std::string_view text) {
  return v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kNormal, static_cast<int>(text.size()))
      .ToLocalChecked();
}

v8::Local<v8::String> to_v8_name(v8::Isolate* isolate, std::string_view text) {
  return v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kInternalized, static_cast<int>(text.size()))
      .ToLocalChecked();
}

std::string describe_exception(v8::Local<v8::Context> context, v8::Local<v8::Value> exception,
                               v8::Local<v8::Message> message) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::TryCatch guard(isolate);
  std::string text;
  if (!exception.IsEmpty() && exception->IsNativeError()) {
    v8::Local<v8::Value> stack;
    if (exception.As<v8::Object>()->Get(context, to_v8_name(isolate, "stack")).ToLocal(&stack) && stack->IsString()) {
      text = to_utf8(isolate, stack);
      drop_platform_frames(text);
    }
  }
  if (text.empty()) {
    if (exception.IsEmpty()) {
      text = "unknown exception";
    } else if (exception->IsObject() && !exception->IsNativeError()) {
      text = to_utf8(isolate, exception);
      if (text.empty() || text.starts_with("[object ")) text = "an object that is no Error was thrown: " + text;
    } else {
      text = to_utf8(isolate, exception);
    }
  }
  if (guard.HasCaught()) guard.Reset();
  if (message.IsEmpty()) return text;
  std::string place = place_of(context, message);
  if (place.empty()) return text;
  // The parser's errors have no stack frame for the place that they are about.
  if (text.starts_with("SyntaxError") && text.find(place) == std::string::npos) {
    return place + "\n" + source_excerpt(context, message) + text;
  }
  if (text.find("\n    at ") == std::string::npos) return text + "\n    at " + place;
  return text;
}

}  // namespace valor::engine
