// A Responder answers one request, once, later, from any thread.
//
//     void on_request(valor::Request request, valor::Responder responder) {
//       std::thread([responder = std::move(responder)]() mutable { responder.respond("worked it out"); }).detach();
//     }
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <valor/response.hpp>

namespace valor {

class Responder {
 public:
  Responder(detail::Instance& instance, uint64_t request) : instance_(instance), request_(request) {}
  Responder(Responder&& other) noexcept
      : instance_(std::move(other.instance_)), request_(std::exchange(other.request_, 0)) {}
  Responder& operator=(Responder&& other) noexcept {
    std::swap(instance_, other.instance_);
    std::swap(request_, other.request_);
    return *this;
  }
  /// A request that nobody answers gets 500.
  ~Responder() {
    if (request_) fail("the Responder of this request was destroyed without an answer");
  }

  /// Answers. The coroutine of a streamed response runs on the instance's thread. Does nothing the second time, when
  /// the client has left, or when the instance has ended.
  void respond(Response response) {
    const uint64_t request = std::exchange(request_, 0);
    if (request) ResponseSender::start_from_anywhere(*instance_, request, std::move(response));
  }

  /// The client gets 500; `message` goes to the log.
  void fail(std::string_view message) {
    const uint64_t request = std::exchange(request_, 0);
    if (request) detail::fail_request(instance_->number(), request, message);
  }

 private:
  detail::InstancePointer instance_;
  uint64_t request_;
};

}  // namespace valor
