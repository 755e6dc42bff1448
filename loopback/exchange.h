// The end of a request where it is answered: what an instance sees of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/exchange.h"
#include "core/problem.h"
#include "http/handler.h"
#include "loopback/window.h"
#include "net/postbox.h"

namespace valor::loopback {

class Sender;

/// What the sender hands over. Plain data.
struct Outbound {
  core::Request request;
  bool has_body = false;
  std::optional<uint64_t> content_length;
  uint64_t started_us = 0;  ///< monotonic; only when requests are logged
};

/// A piece of an answer on its way to the sender.
struct Inbound {
  std::optional<core::ResponseHead> head;
  std::optional<uint64_t> length;  ///< of the body, with the head
  std::string data;
  Ending ending = Ending::kNone;
};

/// Made on the sender's loop; from arrive() on it belongs to the loop of the acceptor, and lives until it was answered
/// or its sender left.
class Exchange final : public core::Exchange, public net::TurnEnd, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(http::Shared& server, std::string caller, std::shared_ptr<net::Postbox> postbox,
           std::weak_ptr<Sender> sender, Outbound outbound)
      : server_(server),
        caller_(std::move(caller)),
        postbox_(std::move(postbox)),
        sender_(std::move(sender)),
        outbound_(std::move(outbound)) {}

  /// When it could not be handed over after all: gives back what it was made of.
  Outbound take_back() { return std::move(outbound_); }

  // --- from the sender, on the acceptor's loop ---

  void arrive(net::Acceptor& acceptor);
  /// The next piece of the request's body; a broken one will not go on.
  void receive(std::string piece, Ending ending);
  /// So many bytes of the answer were read.
  void acknowledge(size_t bytes);
  /// The server answers in the place of the plug-in, or breaks off what it has begun to say.
  void refuse(const core::Problem& problem);
  /// The sender has left.
  void sender_gone();

  // --- core::Exchange ---

  const core::Request& request() const override { return outbound_.request; }
  void set_listener(core::ExchangeListener* listener) override { listener_ = listener; }
  void set_plugin(std::string_view name) override { plugin_ = name; }
  bool has_body() const override { return outbound_.has_body; }
  std::optional<uint64_t> content_length() const override { return outbound_.content_length; }
  core::BodyPiece read_body() override;
  void respond(const core::ResponseHead& head, std::string_view body) override;
  void start_response(const core::ResponseHead& head, std::optional<uint64_t> length) override;
  core::WriteStatus write(std::string_view data) override;
  void finish() override;
  void abort() override;
  void reroute() override;
  const void* batch() const override { return this; }

  void on_turn_end() override { flush(Ending::kNone); }

 private:
  void add_head(const core::ResponseHead& head, std::optional<uint64_t> length, bool body_follows);
  /// Sends what there is of the answer.
  void flush(Ending ending);
  void grant(size_t bytes);
  /// Nothing more happens here. `this` may be gone afterwards.
  void over();
  template <class Message>
  void tell(Message message);

  http::Shared& server_;
  const std::string caller_;
  const std::shared_ptr<net::Postbox> postbox_;
  const std::weak_ptr<Sender> sender_;
  Outbound outbound_;
  net::EventLoop* loop_ = nullptr;
  std::shared_ptr<Exchange> self_;  // while it is being answered
  core::ExchangeListener* listener_ = nullptr;
  std::string_view plugin_;
  bool sender_lost_ = false;  // its loop is closed

  // The request's body.
  std::deque<std::string> pieces_;
  std::string current_;
  size_t read_ = 0;  // bytes, since the sender was last told
  bool asked_ = false;
  bool wants_body_ = false;
  Ending body_ending_ = Ending::kNone;

  // The answer.
  Inbound pending_;
  bool body_allowed_ = true;             // false for HEAD, 204, 304
  std::optional<uint64_t> length_left_;  // of a body whose length was announced
  size_t unread_ = 0;                    // bytes that the sender has not read
  bool wants_writable_ = false;
  uint16_t status_ = 0;
};

/// Tells the log of a finished request. `status` 0: the caller left before there was an answer.
void log_access(http::Shared& server, std::string_view caller, const Outbound& outbound, uint16_t status,
                std::string_view plugin);

}  // namespace valor::loopback
