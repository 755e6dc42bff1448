// Answers through a Responder, from other threads.
#include <stdexcept>
#include <string>
#include <thread>
#include <valor/vlugin.hpp>

void on_request(valor::Request request, valor::Responder responder) {
  if (request.url() == "now") return responder.respond("now");
  if (request.url() == "forget") return;
  if (request.url() == "throw") throw std::runtime_error("thrown before the answer");
  std::thread([request = std::move(request), responder = std::move(responder)]() mutable {
    if (request.url() == "fail") return responder.fail("failed on purpose");
    if (request.url() == "stream") {
      return responder.respond(valor::Response::stream([](valor::Writer& writer) -> valor::Task<> {
        for (int i = 0; i < 3; ++i) {
          co_await writer.write(std::to_string(i));
          co_await valor::sleep(1);
        }
      }));
    }
    responder.respond("from a thread: " + std::string(request.url()));
    responder.respond("a second answer is ignored");
  }).detach();
}

VLUGIN(on_request)
