#include <string>
#include <valor/vlugin.hpp>

#include "numbers.hpp"

struct Counter {
  int gone = 0;
};

/// Lives as long as the coroutine of an answer, and counts those that do not reach their end.
class Watch {
 public:
  explicit Watch(Counter& counter) : counter_(counter) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    if (!ended_) ++counter_.gone;
  }
  void end() { ended_ = true; }

 private:
  Counter& counter_;
  bool ended_ = false;
};

valor::Response copy(valor::Request request, Counter& counter) {
  const std::string type(request.header("content-type").value_or("application/octet-stream"));
  return valor::Response::stream([request = std::move(request), &counter](valor::Writer& writer) -> valor::Task<> {
           Watch watch(counter);
           while (const auto piece = co_await request.body().read()) co_await writer.write(*piece);
           watch.end();
         })
      .header("content-type", type);
}

valor::Response letters(uint64_t pieces, size_t size, uint64_t wait, bool endless, bool fails, Counter& counter) {
  return valor::Response::stream([=, &counter](valor::Writer& writer) -> valor::Task<> {
           Watch watch(counter);
           for (uint64_t i = 0; endless || i < pieces; ++i) {
             if (wait > 0) co_await valor::sleep(wait);
             const std::string piece(size, endless ? 'e' : static_cast<char>('a' + i % 26));
             co_await writer.write(piece);
           }
           if (fails) co_await writer.fail("asked to fail");
           watch.end();
         })
      .header("content-type", "text/plain;charset=UTF-8");
}

valor::Response on_request(valor::Request request, valor::Context& context) {
  Counter& counter = context.state<Counter>();
  if (request.method() == "POST") return copy(std::move(request), counter);
  if (request.path() == "gone") return std::to_string(counter.gone);
  if (request.path() == "endless") return letters(0, 16384, 5, true, false, counter);
  return letters(number_in(request, "pieces").value_or(0), number_in(request, "size").value_or(0),
                 number_in(request, "wait").value_or(0), false, number_in(request, "fail").value_or(0) > 0, counter);
}

void on_create(valor::Context& context) {
  context.set_state<Counter>();
}

VLUGIN(on_request, on_create)
