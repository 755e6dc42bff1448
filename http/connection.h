// An HTTP/1.1 connection: reads requests, has them routed, writes answers.
//
// A connection lives on one event loop at a time. It is accepted on an I/O loop, its home; when a request is for an
// instance of a plug-in, the connection moves to the loop of that instance, where reading, dispatching and writing go
// on without a hand-over between threads. It moves only when no earlier request is being answered, so answers stay in
// order. When the loop ends, it goes home.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/handler.h"
#include "http/http1-exchange.h"
#include "net/event-loop.h"

namespace valor::http {

class Connection final : public net::EventHandler, public net::TurnEnd, public net::Resident {
 public:
  /// Takes the accepted socket `fd` over. Inside the turn of `home`; `home` and `shared` outlive the connection.
  static void open(int fd, net::EventLoop& home, Shared& shared);

  void on_events(uint32_t events) override;
  void on_turn_end() override;
  void on_tick() override;
  void on_evacuate() override;

 private:
  friend class Http1Exchange;

  // What bytes that come in are.
  enum class Reading {
    kHeads,       ///< requests
    kBody,        ///< the body of the youngest exchange
    kDiscarding,  ///< a body that nobody wants; heads follow
    kNothing,     ///< no further request is taken; after the last answer the connection closes
    kLingering,   ///< closed towards the client, whose last bytes are read over so that it sees the answer
  };
  // Whether the connection is still on this loop; when it is not, nothing of it may be touched.
  enum class Whereabouts { kHere, kMoved };

  Connection(int fd, net::EventLoop& home, Shared& shared);
  ~Connection();

  // Reading.
  void receive();
  void receive_heads();
  size_t parse_heads(std::string_view data);
  void discard();
  core::BodyPiece read_body(Http1Exchange& exchange);
  core::BodyPiece body_from(std::string_view data, bool from_input);
  void refuse_input(const ParseError& error);
  void begin_head();

  // Routing.
  Whereabouts proceed();
  Whereabouts route_waiting();
  Whereabouts move_to(net::EventLoop& loop, std::shared_ptr<net::Acceptor> acceptor);
  void retry_later(Http1Exchange& exchange);
  void arrive(net::EventLoop& loop, net::Acceptor* acceptor);

  // Writing.
  std::string& output_of(Http1Exchange& exchange);
  void write_through(Http1Exchange& exchange, std::string_view data);
  void exchange_done(Http1Exchange& exchange);
  void pop_done();
  void flush();
  size_t unsent() const { return output_.size() - output_sent_; }
  bool closes_after(const Http1Exchange& exchange) const;
  void log_access(const Http1Exchange& exchange);

  // Ending.
  void linger();
  void reset();
  void kill();

  void update_interest();
  void soon() { loop_->at_end_of_turn(*this); }
  void start_idle();

  net::EventLoop* loop_;
  net::EventLoop& home_;
  Shared& shared_;
  const int fd_;
  net::EventLoop::Watch watch_ = 0;
  uint32_t interest_ = 0;

  Reading reading_ = Reading::kHeads;
  bool read_paused_ = false;  // enough requests wait, or nobody reads the body
  bool dead_ = false;
  bool continue_due_ = false;  // 100 (Continue) is expected and not sent
  std::string input_;          // received and not parsed, from input_used_ on
  size_t input_used_ = 0;
  std::optional<RequestParser> parser_;
  std::unique_ptr<Http1Exchange> incoming_;
  uint64_t discarded_ = 0;
  net::EventLoop::TimerId retry_timer_ = 0;

  std::vector<std::unique_ptr<Http1Exchange>> exchanges_;  // oldest first
  std::vector<std::unique_ptr<Http1Exchange>> spare_;

  std::string output_;  // sent up to output_sent_
  size_t output_sent_ = 0;

  uint64_t read_deadline_ = 0;   // for what reading_ waits for; 0: none. In loop milliseconds
  uint64_t write_deadline_ = 0;  // while output is stuck
};

}  // namespace valor::http
