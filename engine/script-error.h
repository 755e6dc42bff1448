// An exception in words: message, place in the source, stack.
#pragma once

#include <v8.h>

#include <string>

namespace valor::engine {

/// UTF-8 text of any value; "" when its conversion throws. May run plug-in code.
std::string to_utf8(v8::Isolate* isolate, v8::Local<v8::Value> value);

/// A new string; `text` is UTF-8. Only for text that is known to be shorter than V8's limit (0.5 GiB).
v8::Local<v8::String> to_v8(v8::Isolate* isolate, std::string_view text);
/// The same for names that are used again and again.
v8::Local<v8::String> to_v8_name(v8::Isolate* isolate, std::string_view text);

/// Several lines without a newline at the end, for example
///   TypeError: x is not a function
///       at handler (/srv/plugin.js:3:5)
/// A SyntaxError gets its file, line and the line itself in front. `message` may be empty. May run plug-in code.
std::string describe_exception(v8::Local<v8::Context> context, v8::Local<v8::Value> exception,
                               v8::Local<v8::Message> message);

}  // namespace valor::engine
