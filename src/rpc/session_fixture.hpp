// For tests of this layer: receivers that keep what they hear, and a session that is fed by hand.
// Never part of a program.
#pragma once

#include "rpc/session.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <sys/uio.h>

namespace mp::rpc {

inline std::vector<Message> one(std::string bytes) {
  std::vector<Message> messages(1);
  messages.front().push_back({.own = std::move(bytes), .shared = nullptr});
  return messages;
}

inline std::vector<Message> shared(std::string bytes) {
  std::vector<Message> messages(1);
  messages.front().push_back(
      {.own = {}, .shared = std::make_shared<const std::string>(std::move(bytes))});
  return messages;
}

// Keeps all, from any thread. Asks for the next message as long as `reads` says so.
class Ear : public Receiver {
 public:
  std::function<void(std::string_view)> answer = [](std::string_view) {};
  std::function<void()> drained = [] {};
  std::shared_ptr<Call> call;

  void on_message(std::string_view bytes) override {
    answer(bytes);
    const std::lock_guard lock{mutex_};
    messages_.emplace_back(bytes);
    changed_.notify_all();
  }
  void on_drained() override { drained(); }
  void on_end(const Status& status) override {
    const std::lock_guard lock{mutex_};
    ended_ = status;
    changed_.notify_all();
  }

  std::vector<std::string> messages() const {
    const std::lock_guard lock{mutex_};
    return messages_;
  }
  std::optional<Status> ended() const {
    const std::lock_guard lock{mutex_};
    return ended_;
  }
  int code() const { return ended().value_or(Status{-1, {}}).code; }

  // Wait at most 10 s.
  bool hears(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return messages_.size() >= count; });
  }
  Status end() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [&] { return ended_.has_value(); });
    return ended_.value_or(Status{-1, "it did not end"});
  }

 private:
  static constexpr std::chrono::seconds patience{10};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
  std::optional<Status> ended_;
};

// What the tests' server does with a call: "/echo" sends each message back, "/mute" reads nothing,
// "/no" is refused with words; there is no other.
class Stage {
 public:
  std::shared_ptr<Receiver> accept(const std::shared_ptr<Call>& call) {
    if (call->method() == "/no") {
      call->finish({7, "50 % of \xc3\xbc\n"});
      return nullptr;
    }
    if (call->method() != "/echo" && call->method() != "/mute") return nullptr;
    auto ear = std::make_shared<Ear>();
    ear->call = call;
    if (call->method() == "/echo") {
      ear->answer = [call](std::string_view bytes) {
        call->write(one(std::string(bytes)));
        call->read();
      };
      call->read();
    }
    const std::lock_guard lock{mutex_};
    ears_.push_back(ear);
    return ear;
  }
  std::vector<std::shared_ptr<Ear>> ears() const {
    const std::lock_guard lock{mutex_};
    return ears_;
  }
  Accept function() {
    return [this](const std::shared_ptr<Call>& call) { return accept(call); };
  }
  ~Stage() {
    for (const auto& ear : ears_) {
      ear->answer = nullptr;  // which keeps the call, which keeps the ear
      ear->call.reset();
    }
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Ear>> ears_;
};

// A session's host on the test's own thread.
class Desk final : public Host {
 public:
  void ready(std::shared_ptr<Call> call) override { calls_.push_back(std::move(call)); }
  void flush_soon() override {}
  void settle() {
    while (!calls_.empty())
      for (const auto& call : std::exchange(calls_, {})) Session::update_owned(*call);
  }

 private:
  std::vector<std::shared_ptr<Call>> calls_;
};

// Takes everything that is written.
class Sink final : public Channel {
 public:
  explicit Sink(std::string& into) : into_(into) {}
  Transfer open() override { return Transfer::Done; }
  Moved read(std::span<char>) override { return {Transfer::WantRead}; }
  Moved write(std::span<const iovec> parts) override {
    // A byte less than it could, so that parts are cut.
    const auto& first = parts.front();
    const std::size_t count = first.iov_len > 1 ? first.iov_len - 1 : 1;
    into_.append(static_cast<const char*>(first.iov_base), count);
    return {Transfer::Done, count};
  }
  void end_sending() override {}
  bool may_hold_input() const override { return false; }

 private:
  std::string& into_;
};

// What a session has to send now.
inline std::string output_of(Session& session) {
  std::string bytes;
  Sink sink{bytes};
  Gather gather;
  for (bool more = true; more;) {
    more = session.fill(gather);
    gather.send(sink);
  }
  session.sent();
  return bytes;
}

}  // namespace mp::rpc
