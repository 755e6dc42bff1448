// An open call at an instance: the guest's view (Call) of an exchange, with a deadline.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/guest.h"

namespace valor::host {

class Instance;

/// Owned by its instance, which uses it again for a later request.
class OpenCall final : public Call, public core::ExchangeListener {
 public:
  explicit OpenCall(Instance& instance) : instance_(instance) {}

  CallId id() const override { return id_; }
  const core::Request& request() const override { return exchange_->request(); }
  bool has_body() const override { return exchange_->has_body(); }
  std::optional<uint64_t> content_length() const override { return exchange_->content_length(); }
  core::BodyPiece read_body() override;
  void respond(const core::ResponseHead& head, std::string_view body) override;
  void start_response(const core::ResponseHead& head, std::optional<uint64_t> length) override;
  bool response_started() const override { return response_started_; }
  core::WriteStatus write(std::string_view data) override;
  void finish() override;
  void abort() override;
  void fail(core::Problem problem) override;

  void on_body_ready() override;
  void on_writable() override;
  void on_gone() override;

 private:
  friend class Instance;

  void signal();
  void count(uint16_t status);
  // Ends the call on this side; the exchange is finished or about to be.
  core::Exchange& close();

  Instance& instance_;
  CallId id_ = 0;
  core::Exchange* exchange_ = nullptr;
  uint64_t deadline_ms_ = 0;
  bool given_ = false;  // the guest knows it
  bool response_started_ = false;
  bool body_ready_ = false;
  bool writable_ = false;
  bool signalled_ = false;
  uint16_t status_ = 0;
  OpenCall* older_ = nullptr;
  OpenCall* younger_ = nullptr;
};

}  // namespace valor::host
