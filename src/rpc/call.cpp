#include "rpc/call.hpp"

#include <iterator>
#include <utility>

namespace mp::rpc {

std::string_view Call::field(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return {};
}

std::size_t Call::write(std::vector<Message> messages) {
  const std::lock_guard lock{mutex_};
  if (ended_ || ending_ || aborted_) return 0;
  for (Message& message : messages) {
    std::size_t size = 0;
    for (const Piece& piece : message) size += piece.size();
    outgoing_.push_back({.piece = {.own = prefix_of(size), .shared = nullptr}});
    for (Piece& piece : message) outgoing_.push_back({.piece = std::move(piece)});
    outgoing_.back().ends_message = true;
  }
  waiting_ += messages.size();
  post();
  return waiting_;
}

void Call::read() {
  const std::lock_guard lock{mutex_};
  wanted_ = true;
  if (!delivering_) post();  // or who delivers looks again
}

void Call::finish(Status status) {
  const std::lock_guard lock{mutex_};
  if (ended_ || ending_) return;
  ending_ = std::move(status);
  post();
}

void Call::abort() {
  const std::lock_guard lock{mutex_};
  aborted_ = true;
  post();
}

void Call::post() {
  if (!host_ || std::exchange(posted_, true)) return;
  host_->ready(shared_from_this());
}

Call::Wishes Call::take_wishes() {
  const std::lock_guard lock{mutex_};
  posted_ = false;
  for (const Part& part : outgoing_) unsent_ += part.piece.size();
  // Of a client that always leaves something what is sent goes too, without moving each part often.
  if (first_ * 2 >= sending_.size()) {
    sending_.erase(sending_.begin(), sending_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (sending_.empty()) {
    sending_.swap(outgoing_);
  } else {
    sending_.insert(sending_.end(), std::make_move_iterator(outgoing_.begin()),
                    std::make_move_iterator(outgoing_.end()));
    outgoing_.clear();
  }
  return {.ending = ending_, .aborted = aborted_};
}

// Whether the next message is wanted; then read() posts nothing until this was asked again.
bool Call::begin_delivery() {
  const std::lock_guard lock{mutex_};
  delivering_ = wanted_ && !ending_ && !aborted_ && !ended_;
  if (delivering_) wanted_ = false;
  return delivering_;
}

void Call::end_delivery() {
  const std::lock_guard lock{mutex_};
  delivering_ = false;
}

void Call::want_again() {
  const std::lock_guard lock{mutex_};
  wanted_ = true;
  delivering_ = false;
}

bool Call::ending() const {
  const std::lock_guard lock{mutex_};
  return ending_ || aborted_ || ended_;
}

bool Call::hoards() const {
  const std::lock_guard lock{mutex_};
  return !wanted_ && !ending_ && !aborted_ && !ended_;
}

void Call::taken(std::size_t messages) {
  bool drained = false;
  {
    const std::lock_guard lock{mutex_};
    waiting_ -= messages;
    drained = waiting_ == 0;
  }
  if (drained && receiver_) receiver_->on_drained();
}

void Call::detach() {
  const std::lock_guard lock{mutex_};
  ended_ = true;
  host_ = nullptr;
  outgoing_.clear();
  session_ = nullptr;
  sending_.clear();
  first_ = offset_ = unsent_ = 0;
}

}  // namespace mp::rpc
