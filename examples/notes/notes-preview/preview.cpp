// Shows a note: POST Markdown, HTML comes back. On the server this is a native library, in browsers the same as WASM.
#include <string>
#include <valor/vlugin.hpp>

#include "markdown.h"

namespace {

constexpr size_t kLongestNote = 1024 * 1024;

valor::Task<valor::Response> on_request(valor::Request request) {
  if (request.method() != "POST") co_return valor::Response(405, "POST Markdown\n").header("allow", "POST");
  const std::string text = co_await request.text(kLongestNote);
  // Opened as a page of its own, it may do nothing.
  co_return valor::Response(markdown::to_html(text))
      .header("content-type", "text/html; charset=utf-8")
      .header("content-security-policy", "sandbox; default-src 'none'");
}

}  // namespace

VLUGIN(on_request)
