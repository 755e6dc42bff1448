// An exchange is one request and its answer, as seen by whoever answers it. Protocols (http/) implement it; plug-ins'
// hosts (host/) use it. An exchange belongs to one event loop at a time, and all calls are made inside that loop's turn
// (net/event-loop.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/message.h"

namespace valor::core {

enum class ReadStatus {
  kData,    ///< `data` holds the next bytes of the body
  kWait,    ///< nothing there yet; ExchangeListener::on_body_ready follows
  kEnd,     ///< the whole body has been read
  kFailed,  ///< the client broke off or broke a rule; no more will come
};

struct BodyPiece {
  ReadStatus status;
  std::string_view data;  ///< valid until the next call, or until the turn is let go
};

enum class WriteStatus {
  kReady,  ///< more may be written at once
  kWait,   ///< taken, but enough is buffered: wait for ExchangeListener::on_writable before writing more
  kGone,   ///< the client left; nothing more can be sent
};

/// What the answering side hears about its exchange. Called inside the turn; must not run plug-in code there and then.
class ExchangeListener {
 public:
  virtual void on_body_ready() = 0;
  virtual void on_writable() = 0;
  /// The exchange is no more (client left, connection broke). The listener must forget it: its pointer dies with this.
  virtual void on_gone() = 0;

 protected:
  ~ExchangeListener() = default;
};

class Exchange {
 public:
  /// The request; lives as long as the exchange.
  virtual const Request& request() const = 0;

  /// Who is told; nullptr: nobody.
  virtual void set_listener(ExchangeListener* listener) = 0;

  /// The plug-in named in x-valor-plugin. `name` must outlive the exchange.
  virtual void set_plugin(std::string_view name) = 0;

  /// Whether a body follows the head, even an empty chunked one.
  virtual bool has_body() const = 0;
  /// Its length in bytes where the client declared one.
  virtual std::optional<uint64_t> content_length() const = 0;
  /// The next piece of the request's body. Reading slowly slows the client down (backpressure).
  virtual BodyPiece read_body() = 0;

  /// Answers with a complete body and ends the exchange: the pointer is dead afterwards.
  virtual void respond(const ResponseHead& head, std::string_view body) = 0;

  /// Begins an answer whose body follows in pieces.
  /// `length` frames it by content-length (writing more or less than that breaks the connection), else chunked.
  virtual void start_response(const ResponseHead& head, std::optional<uint64_t> length) = 0;
  virtual WriteStatus write(std::string_view data) = 0;
  /// Ends a started answer: the pointer is dead afterwards.
  virtual void finish() = 0;
  /// Breaks a started answer off so that the client notices (the connection closes): the pointer is dead afterwards.
  virtual void abort() = 0;

  /// Gives the request back to routing, because it could not be begun here: the pointer is dead afterwards.
  /// Only before read_body(), respond() and start_response().
  virtual void reroute() = 0;

  /// A value that two exchanges share when their answers leave in the same write.
  virtual const void* batch() const = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace valor::core
