// A table of routes that is a handler.
//
//     constexpr valor::Router<
//         valor::Get<"books", list_books>,
//         valor::Get<"books/:id", show_book>,          // request.param("id")
//         valor::Route<"PUT", "books/:id", put_book>,
//         valor::Get<"files/*", show_file>>            // request.param("*")
//         routes;
//     VLUGIN(routes)
//
// A pattern has no leading slash, as a request's path. ":name" stands for one segment of the path, "*" at the end for
// all that is left. The first route that fits is taken. Handlers have the same shapes as in VLUGIN. HEAD takes a GET
// route where it has none of its own. A path that no route fits gets 404; one that fits only with other methods gets
// 405 and their names in `allow`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <valor/handler.hpp>
#include <valor/text.hpp>

namespace valor {

namespace detail {

/// A string literal as an argument of a template.
template <size_t size>
struct Literal {
  char text[size]{};
  constexpr Literal(const char (&literal)[size]) {  // NOLINT(google-explicit-constructor)
    for (size_t i = 0; i < size; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, size - 1}; }

  // By hand: with sanitizers GCC finds the searches of string_view not constant.
  constexpr bool begins_with_slash() const { return text[0] == '/'; }
  constexpr bool stars_are_last_segments() const {
    for (size_t i = 0; i + 1 < size; ++i) {
      if (text[i] == '*' && (i + 2 != size || (i > 0 && text[i - 1] != '/'))) return false;
    }
    return true;
  }
};

}  // namespace detail

template <detail::Literal method_name, detail::Literal pattern_text, auto handler>
struct __attribute__((visibility("hidden"))) Route {
  static constexpr std::string_view method() { return method_name.view(); }
  static constexpr std::string_view pattern() { return pattern_text.view(); }
  static_assert(!pattern_text.begins_with_slash(), "a pattern has no leading slash: a request's path has none either");
  static_assert(pattern_text.stars_are_last_segments(), "a star stands for whole segments, at the end of the pattern");

  static bool fits(std::string_view path) {
    return detail::match_path(pattern(), path, [](std::string_view, std::string_view) {});
  }
  static void handle(detail::Arrival arrival) {
    arrival.pattern = pattern();
    detail::Handler<handler>::handle(arrival);
  }
};

template <detail::Literal pattern, auto handler>
using Get = Route<"GET", pattern, handler>;
template <detail::Literal pattern, auto handler>
using Post = Route<"POST", pattern, handler>;
template <detail::Literal pattern, auto handler>
using Put = Route<"PUT", pattern, handler>;
template <detail::Literal pattern, auto handler>
using Delete = Route<"DELETE", pattern, handler>;

template <class... Routes>
struct __attribute__((visibility("hidden"))) Router {
  static void handle(const detail::Arrival& arrival) {
    const Request request = arrival.request();
    const std::string_view path = request.path();
    if (take(arrival, path, request.method())) return;
    if (request.method() == "HEAD" && take(arrival, path, "GET")) return;
    const std::string allow = allowed(path);
    ResponseSender::start(arrival.instance, arrival.number,
                          allow.empty() ? Response(404, "Not found.\n")
                                        : Response(405, "This method is not allowed here.\n").header("allow", allow));
  }

 private:
  static bool take(const detail::Arrival& arrival, std::string_view path, std::string_view method) {
    return ((Routes::method() == method && Routes::fits(path) && (Routes::handle(arrival), true)) || ...);
  }

  static std::string allowed(std::string_view path) {
    std::string allow;
    const auto add = [&](std::string_view method) {
      if ((", " + allow + ",").find(std::string(" ").append(method) + ",") != std::string::npos) return;
      allow.append(allow.empty() ? "" : ", ").append(method);
    };
    const auto look = [&](std::string_view method, bool fits) {
      if (!fits) return;
      add(method);
      if (method == "GET") add("HEAD");
    };
    (look(Routes::method(), Routes::fits(path)), ...);
    return allow;
  }
};

}  // namespace valor
