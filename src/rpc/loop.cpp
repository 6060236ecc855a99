#include "rpc/loop.hpp"

#include "base/prefetch.hpp"
#include "rpc/connection.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>

namespace mp::rpc {
namespace {

constexpr std::size_t input_size = 64u << 10;  // bytes of one read
constexpr std::size_t most_held = 32;          // calls
constexpr int most_rounds = 8;
constexpr std::size_t most_events = 256;  // of one look at the sockets

// Of sockets; epoll_create1(2).
int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return set;
}

}  // namespace

void Crowd::enter() {
  const std::lock_guard lock{mutex_};
  ++inside_;
}

void Crowd::leave() {
  const std::lock_guard lock{mutex_};
  if (--inside_ == 0) emptied_.notify_all();
}

bool Crowd::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{mutex_};
  return emptied_.wait_until(lock, deadline, [this] { return inside_ == 0; });
}

Loop::Loop(Crowd& crowd, const Limits& limits)
    : crowd_(crowd),
      limits_(limits),
      context_(1),
      timer_(context_),
      sockets_(context_, make_set()),
      input_(input_size) {}

Loop::~Loop() { stop(); }

void Loop::start() {
  wait_for_tick();
  wait_for_sockets();
  thread_ = std::thread([this] {
    const auto guard = boost::asio::make_work_guard(context_);
    context_.run();
  });
}

void Loop::drain() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    each([](Connection& connection) { connection.go_away(); });
  });
}

void Loop::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(context_, [this] {
    each([](Connection& connection) { connection.close({code::unavailable, "it stops"}); });
    context_.stop();
  });
  thread_.join();
}

void Loop::ready(std::shared_ptr<Call> call) {
  {
    const std::lock_guard lock{mutex_};
    ready_.push_back(std::move(call));
    if (awake_ || (held_ > 0 && ready_.size() < most_held)) return;
    awake_ = true;
  }
  boost::asio::post(context_, [this] { settle(); });
}

void Loop::hold() {
  const std::lock_guard lock{mutex_};
  ++held_;
}

void Loop::release() {
  {
    const std::lock_guard lock{mutex_};
    if (--held_ > 0 || awake_ || ready_.empty()) return;
    awake_ = true;
  }
  boost::asio::post(context_, [this] { settle(); });
}

void Loop::flush_soon(std::shared_ptr<Connection> connection) {
  unflushed_.push_back(std::move(connection));
  if (!std::exchange(flushing_, true)) boost::asio::post(context_, [this] { settle(); });
}

// Writing tells calls that they are drained, and they may have more then. Who writes without an end
// on other threads must not keep this one from reading.
void Loop::settle() {
  flushing_ = true;
  for (int round = 0; round < most_rounds; ++round) {
    std::vector<std::shared_ptr<Call>> calls;
    {
      const std::lock_guard lock{mutex_};
      if (ready_.empty() && unflushed_.empty()) {
        awake_ = flushing_ = false;
        return;
      }
      awake_ = true;
      calls.swap(ready_);
    }
    walk(calls, [](Call& call) { Connection::update(call); });
    walk(std::exchange(unflushed_, {}), [](Connection& connection) { connection.flush(); });
  }
  boost::asio::post(context_, [this] { settle(); });
}

void Loop::add(std::shared_ptr<Connection> connection) {
  crowd_.enter();
  connections_.emplace(connection.get(), std::move(connection));
}

void Loop::remove(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  if (telling_) departed_.push_back(std::move(found->second));
  connections_.erase(found);
  crowd_.leave();
}

void Loop::watch(int socket, Connection& connection) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.ptr = &connection}};
  if (::epoll_ctl(sockets_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void Loop::forget(int socket) {
  ::epoll_ctl(sockets_.native_handle(), EPOLL_CTL_DEL, socket, nullptr);
}

// Asio waits for the set as a whole; timers and what is posted have their turns in between.
void Loop::wait_for_sockets() {
  sockets_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (error) return;
                        tell_sockets();
                        wait_for_sockets();
                      });
}

void Loop::tell_sockets() {
  std::array<epoll_event, most_events> events;
  const int count = ::epoll_wait(sockets_.native_handle(), events.data(), most_events, 0);
  telling_ = true;
  for (int at = 0; at < count; ++at) {
    const auto& event = events[static_cast<std::size_t>(at)];
    if (at + 1 < count)
      prefetch(static_cast<Connection*>(events[static_cast<std::size_t>(at) + 1].data.ptr));
    static_cast<Connection*>(event.data.ptr)->on_ready(event.events);
  }
  telling_ = false;
  departed_.clear();
}

// What the step removes is left out then; what it removes of others it may still meet.
void Loop::each(const std::function<void(Connection&)>& step) {
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) step(*connection);
}

void Loop::wait_for_tick() {
  timer_.expires_after(limits_.tick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const auto now = std::chrono::steady_clock::now();
    each([now](Connection& connection) { connection.tick(now); });
    wait_for_tick();
  });
}

}  // namespace mp::rpc
