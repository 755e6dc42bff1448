// The context of one instance of a plug-in: its name, its configuration, its state, its log.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/instance.hpp>
#include <valor/text.hpp>

namespace valor {

enum class LogLevel : uint32_t {
  kDebug = VALOR_LOG_DEBUG,
  kInfo = VALOR_LOG_INFO,
  kWarn = VALOR_LOG_WARN,
  kError = VALOR_LOG_ERROR,
};

namespace detail {

/// Its address stands for the type T.
template <class T>
struct __attribute__((visibility("hidden"))) TypeMark {
  static constexpr char mark = 0;
};

}  // namespace detail

/// How a T comes out of JSON: by the library of the author's choice. Valor declares this and the author defines it, for
/// all types at once or for one:
///
///     template <class T>
///     struct valor::Json {
///       static T parse(std::string_view text) { return nlohmann::json::parse(text).get<T>(); }
///     };
///
/// `parse` returns a T and throws when the text does not fit, or it returns a std::optional<T>.
template <class T>
struct Json;

/// What an instance keeps at the host by key, until it ends: bytes, 16 MiB of keys and values together.
class Store {
 public:
  explicit Store(uint64_t instance) : instance_(instance) {}

  std::optional<std::string> get(std::string_view key) const {
    std::string value;
    while (true) {
      const int32_t size = detail::host->state_get(instance_, key.data(), key.size(), value.data(), value.size());
      if (size < 0) return std::nullopt;
      const bool whole = static_cast<size_t>(size) <= value.size();
      value.resize(static_cast<size_t>(size));
      if (whole) return value;
    }
  }
  /// Returns false, and keeps what there was, when the key is empty or over 256 bytes, or when it would be too much.
  [[nodiscard]] bool set(std::string_view key, std::string_view value) const {
    return detail::host->state_set(instance_, key.data(), key.size(), value.data(), value.size()) == VALOR_OK;
  }
  /// Returns whether there was one.
  bool erase(std::string_view key) const {
    return detail::host->state_delete(instance_, key.data(), key.size()) == VALOR_OK;
  }

 private:
  uint64_t instance_;
};

class Context {
 public:
  explicit Context(uint64_t instance)
      : instance_(instance),
        config_(text_of(detail::host->config)),
        name_(text_of(detail::host->name)),
        location_(text_of(detail::host->location)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { clear_state(); }

  // --- any thread ---

  /// The plug-in's "config" as JSON text; "null" where there is none.
  const std::string& config() const { return config_; }
  /// The config where it is a JSON string: "Alice" with the quotes off.
  std::optional<std::string> config_string() const { return parse_json_string(config_); }
  /// The plug-in's name.
  const std::string& name() const { return name_; }
  /// The public URL of the mount, ending in a slash.
  const std::string& location() const { return location_; }

  /// What the instance keeps at the host.
  Store store() const { return Store(instance_); }

  /// The instance cannot go on: its open requests get 502 with `message`, and a new instance takes its place. In WASM
  /// this does not return; in a native plug-in return from the handler as soon as you can.
  void abort(std::string_view message) const { detail::host->abort(instance_, message.data(), message.size()); }

  /// Writes a line to Valor's log in the plug-in's name. Never waits.
  void log(LogLevel level, std::string_view message) const {
    detail::host->log(instance_, static_cast<uint32_t>(level), message.data(), message.size());
  }

  // --- the instance's thread ---

  /// Keeps a T, made of `arguments`, for as long as the instance lives. Replaces what was kept before.
  template <class T, class... Arguments>
  T& set_state(Arguments&&... arguments) {
    clear_state();
// An aggregate may leave members to their defaults; the warning would be the author's, about this line.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    T* made = new T{std::forward<Arguments>(arguments)...};
#pragma GCC diagnostic pop
    state_ = made;
    state_type_ = &detail::TypeMark<T>::mark;
    delete_state_ = [](void* state) { delete static_cast<T*>(state); };
    return *made;
  }
  /// What set_state<T> keeps; nullptr when there is none or it is of another type.
  template <class T>
  T* state_if() const {
    return state_type_ == &detail::TypeMark<T>::mark ? static_cast<T*>(state_) : nullptr;
  }
  /// What set_state<T> keeps. Asking for a state that was never set is a bug in the plug-in: std::terminate.
  template <class T>
  T& state() const {
    if (T* found = state_if<T>()) return *found;
    log(LogLevel::kError, "Context::state<T>() without a set_state<T>() before: a bug in the plug-in");
    std::abort();
  }

  /// In on_create: the instance cannot be created. `message` is a sentence for the operator.
  void fail(std::string message) {
    failed_ = true;
    failure_ = std::move(message);
  }
  /// In on_create: the config as a T, read by Json<T>. When it does not fit, this is a fail(), and there is no T:
  ///
  ///     auto settings = context.config_as<Settings>();
  ///     if (!settings) return;
  template <class T>
  std::optional<T> config_as() {
    std::optional<T> value;
    std::string error = "it does not have the expected shape";
    detail::guarded([&] { value = Json<T>::parse(std::string_view(config_)); }, error);
    if (!value) fail("the config " + config_.substr(0, 200) + " does not fit: " + error);
    return value;
  }
  bool failed() const { return failed_; }
  const std::string& failure() const { return failure_; }

 private:
  std::string text_of(int32_t (*function)(uint64_t, char*, size_t)) const {
    std::string text;
    int32_t size = function(instance_, nullptr, 0);
    if (size <= 0) return text;
    text.resize(static_cast<size_t>(size));
    function(instance_, text.data(), text.size());
    return text;
  }
  void clear_state() {
    if (delete_state_) delete_state_(std::exchange(state_, nullptr));
    delete_state_ = nullptr;
    state_type_ = nullptr;
  }

  const uint64_t instance_;
  const std::string config_;
  const std::string name_;
  const std::string location_;
  void* state_ = nullptr;
  const char* state_type_ = nullptr;
  void (*delete_state_)(void*) = nullptr;
  bool failed_ = false;
  std::string failure_;
};

}  // namespace valor
