#include "core/correlation.h"

#include <cstring>

namespace valor::core {

namespace {

constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio

constexpr uint64_t mix(uint64_t value) {
  value *= kMultiplier;
  return value ^ (value >> 32);
}

}  // namespace

std::string_view explain(Unmatched why) {
  switch (why) {
    case Unmatched::kUnknownId:
      return "it names a request that is not open";
    case Unmatched::kEnded:
      return "its request has ended: the client left, or its time was up";
    case Unmatched::kSecond:
      return "it was posted in the handler call of a request that has its answer already";
    case Unmatched::kNoneWaiting:
      return "it has no x-correlation-id, and no request waits for an answer";
    case Unmatched::kAmbiguous:
      return "it has no x-correlation-id, was posted after the handler returned, and may answer any of several "
             "requests";
    case Unmatched::kRefused:
      return "it has no x-correlation-id, and this instance has posted more answers than it got requests";
  }
  return "";
}

// --- finding entries ---

// Seeded, so that clients cannot choose ids that fall into one place.
uint64_t Correlator::hash_id(std::string_view id) const {
  uint64_t hash = hash_seed_ ^ id.size();
  for (size_t at = 0; at < id.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, id.data() + at, id.size() - at < 8 ? id.size() - at : 8);
    hash = mix(hash ^ word);
  }
  return mix(hash ^ hash_seed_);
}

const Correlator::Entry* Correlator::by_token(Token token) const {
  uint32_t found = tokens_.find(mix(token), [&](uint32_t entry) { return entries_[entry].token == token; });
  return found == HashIndex::kNone ? nullptr : &entries_[found];
}

Correlator::Entry* Correlator::by_id(std::string_view id, uint64_t hash) {
  uint32_t found = ids_.find(hash, [&](uint32_t entry) { return entries_[entry].plugin_id == id; });
  return found == HashIndex::kNone ? nullptr : &entries_[found];
}

// --- the life of a request ---

std::string_view Correlator::begin(Token token, std::string_view client_id, IdSource& ids) {
  if (!begun_) hash_seed_ = ids.next_bits();
  begun_ = true;

  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  uint32_t index = free_.back();
  free_.pop_back();
  Entry& entry = entries_[index];
  entry.token = token;
  entry.plugin_id.assign(client_id);
  entry.client_id.clear();
  entry.id_hash = hash_id(client_id);
  if (fresh_ids_ || client_id.empty() || by_id(client_id, entry.id_hash) != nullptr) {
    entry.client_id.assign(client_id);
    entry.plugin_id.resize(IdSource::kIdSize);
    ids.write(entry.plugin_id.data());
    entry.id_hash = hash_id(entry.plugin_id);
  }
  tokens_.insert(mix(token), index);
  ids_.insert(entry.id_hash, index);
  set_state(entry, State::kWaiting);
  ++open_;
  return entry.plugin_id;
}

void Correlator::set_state(Entry& entry, State state) {
  auto count = [&](State counted, size_t by) {
    if (counted == State::kWaiting) waiting_ += by;
    if (counted == State::kGhost || counted == State::kOverdueGhost) ghosts_ += by;
    if (counted == State::kOverdueGhost) overdue_ghosts_ += by;
    if (counted != State::kFree && counted != State::kAnsweredAstray) unsettled_sum_ ^= entry.token;
  };
  count(entry.state, static_cast<size_t>(-1));
  entry.state = state;
  count(state, 1);
}

void Correlator::remove(Entry& entry) {
  auto index = static_cast<uint32_t>(&entry - entries_.data());
  set_state(entry, State::kFree);
  tokens_.erase(mix(entry.token), index);
  ids_.erase(entry.id_hash, index);
  entry.token = 0;
  free_.push_back(index);
}

void Correlator::end(Token token, Ended how) {
  Entry* entry = by_token(token);
  if (entry == nullptr || (entry->state != State::kWaiting && entry->state != State::kAnsweredAstray)) return;
  --open_;
  if (how == Ended::kAnswered || entry->state == State::kAnsweredAstray) {
    remove(*entry);
  } else if (ghosts_ < kMaxGhosts) {
    set_state(*entry, how == Ended::kTimedOut ? State::kOverdueGhost : State::kGhost);
  } else {
    lost_ghosts_ = true;
    fresh_ids_ = true;
    remove(*entry);
  }
  settle();
}

void Correlator::expire(Token token) {
  Entry* entry = by_token(token);
  if (entry != nullptr && entry->state == State::kGhost) set_state(*entry, State::kOverdueGhost);
}

// When as many answers went astray as requests wait, each of them has had its answer.
void Correlator::settle() {
  if (astray_ < unsettled()) return;
  if (astray_ > 0) {
    for (Entry& entry : entries_) {
      if (entry.state == State::kWaiting) set_state(entry, State::kAnsweredAstray);
      if (entry.state == State::kGhost || entry.state == State::kOverdueGhost) remove(entry);
    }
  }
  astray_ = 0;
}

// --- whose answer is it? ---

Correlator::Answer Correlator::match(std::optional<std::string_view> correlation_id, Token context) {
  if (correlation_id) return match_named(*correlation_id);
  if (handler_ != 0) return match_in_handler();
  return context != 0 && trust_context_ ? match_in_context(context) : match_late();
}

Correlator::Answer Correlator::match_named(std::string_view id) {
  Entry* entry = by_id(id, hash_id(id));
  if (entry == nullptr) {
    // A second answer, perhaps: the next one might come while another client's request goes by the same id.
    fresh_ids_ = fresh_ids_ || begun_;
    return {0, Unmatched::kUnknownId};
  }
  return settled(*entry);
}

Correlator::Answer Correlator::match_in_handler() {
  Entry* entry = by_token(handler_);
  return entry == nullptr ? Answer{0, Unmatched::kSecond} : settled(*entry);
}

Correlator::Answer Correlator::match_in_context(Token context) {
  Entry* entry = by_token(context);
  if (entry == nullptr) {
    trust_context_ = false;
    return match_late();
  }
  return settled(*entry);
}

// The answer is for this request and no other.
Correlator::Answer Correlator::settled(Entry& entry) {
  if (entry.state == State::kWaiting || entry.state == State::kAnsweredAstray) return {entry.token};
  remove(entry);
  settle();
  return {0, Unmatched::kEnded};
}

Correlator::Answer Correlator::match_late() {
  // Before the first request nothing can be mistaken: scripts like to post that they are ready.
  if (!begun_) return {0, Unmatched::kNoneWaiting};
  one_at_a_time_ = true;
  if (refuse_late_) return {0, Unmatched::kRefused};
  if (lost_ghosts_) return {0, Unmatched::kAmbiguous};
  if (unsettled() == 0) {
    refuse_late_ = true;
    return {0, Unmatched::kNoneWaiting};
  }
  // With one left, none went astray: settle() sees to that.
  if (unsettled() > 1) {
    ++astray_;
    settle();
    return {0, Unmatched::kAmbiguous};
  }
  Entry& entry = *by_token(unsettled_sum_);
  if (entry.state == State::kWaiting) return {entry.token};
  remove(entry);
  return {0, Unmatched::kEnded};
}

Next Correlator::next() const {
  if (!one_at_a_time_) return Next::kGive;
  if (open_ > 0) return Next::kHold;
  if (overdue_ghosts_ > 0 || lost_ghosts_) return Next::kReplace;
  return ghosts_ > 0 ? Next::kHold : Next::kGive;
}

std::string_view Correlator::client_id(Token token) const {
  const Entry* entry = by_token(token);
  if (entry == nullptr) return {};
  return entry->client_id.empty() ? entry->plugin_id : entry->client_id;
}

}  // namespace valor::core
