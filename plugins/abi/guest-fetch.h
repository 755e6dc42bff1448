// One fetch of a guest: its way through redirects, the body that the guest sends, and the response until it is read.
//
// News of it come inside the turn, on any thread, and end what the guest waits for (Operations). What cannot be done
// from within news, such as sending the next request, is done by work() on the instance's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/abi/fetch-rules.h"
#include "plugins/abi/operations.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::abi {

/// What the fetches of an instance share.
struct FetchShared {
  outgoing::Network& network;
  Operations& operations;
  std::function<void(const std::string&)> warn;
  std::vector<ExchangeId> to_do = {};  ///< fetches whose work() is due
  size_t unsent = 0;                   ///< bytes of bodies that the guest has sent and the network has not taken
};

/// Inside the turn.
class GuestFetch final : public client::TransferListener {
 public:
  /// Bytes of a response that are kept until the guest reads them.
  static constexpr size_t kMaxUnread = 128 * 1024;
  /// Bytes of a request's body from which on the guest is told to wait, as for an answer.
  static constexpr size_t kMaxUnsent = 256 * 1024;
  /// The same for all fetches of an instance: whoever does not wait fills memory that no limit of it counts. One
  /// piece may be larger.
  static constexpr size_t kMaxUnsentOfAll = 256 * 1024 * 1024;
  /// Bytes of method, URL and headers. They are kept until the fetch ends, and no limit of the instance counts them.
  static constexpr size_t kMostOfHead = 128 * 1024;

  struct Options {
    ExchangeId id;
    uint64_t request;  ///< on whose behalf; 0: of none
    unsigned hops;
    bool follows_redirects;
    std::optional<uint64_t> length;  ///< of the body, where the guest has said it
  };
  GuestFetch(FetchShared& shared, FetchTarget target, Options options);
  ~GuestFetch();
  GuestFetch(const GuestFetch&) = delete;
  GuestFetch& operator=(const GuestFetch&) = delete;

  /// Sends the request.
  void send();
  /// What is due since news came.
  void work();

  uint64_t request() const { return options_.request; }
  /// Nothing more is to come of it; it can be destroyed.
  bool over() const { return over_; }

  // --- the host functions; `what` says which rule is broken where they return VALOR_INVALID ---

  int32_t read(char* buffer, size_t capacity, uint64_t operation, std::string& what);
  int32_t write(std::string_view data, uint64_t operation, std::string& what);
  int32_t end_body(std::string& what);

  // --- news ---

  void on_head(core::ResponseHead head, std::optional<uint64_t> length, std::string_view reason) override;
  core::WriteStatus on_data(std::string_view data) override;
  core::BodyPiece read_body() override;
  void on_end() override;
  void on_failed(client::TransferFailure failure) override;

 private:
  /// What is to be sent next.
  struct Next {
    uint16_t status = 0;
    std::optional<std::string> location = {};  ///< none: the same once more, over a fresh connection
  };
  void fail(std::string why);
  void follow();
  void drop_upload();
  void to_do() { shared_.to_do.push_back(options_.id); }

  FetchShared& shared_;
  FetchTarget target_;
  const Options options_;
  std::unique_ptr<outgoing::Sending> sending_;
  std::optional<Next> next_;
  bool fresh_connection_ = false;
  bool over_ = false;

  const bool had_body_;
  std::optional<uint64_t> left_;  // of the body's length, to be sent by the guest
  std::deque<std::string> unsent_;
  size_t unsent_bytes_ = 0;
  std::string current_;      // lent to the network
  bool body_ended_ = false;  // by the guest
  bool upload_over_ = false;

  bool has_head_ = false;
  std::string unread_;
  size_t unread_at_ = 0;
  bool paused_ = false;
  bool ended_ = false;
  bool broken_ = false;
};

}  // namespace valor::plugins::abi
