#include "http/loop.hpp"

#include "base/log.hpp"
#include "base/scheduling.hpp"
#include "http/connection.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <utility>

namespace mp::http {

namespace {

constexpr std::size_t doorway_limit = 64;
constexpr std::size_t input_size = 32 * 1024;    // a whole record of TLS has room
constexpr std::size_t output_kept = 256 * 1024;  // more memory than that is given back

}  // namespace

void Mailbox::put(std::weak_ptr<Connection> connection, std::optional<Response> response) {
  const std::lock_guard lock(mutex_);
  if (context_ == nullptr) return;
  letters_.push_back({std::move(connection), std::move(response)});
  if (letters_.size() > 1) return;  // the loop was told
  boost::asio::post(*context_, [self = shared_from_this()] { self->deliver(); });
}

void Mailbox::deliver() {
  std::vector<Letter> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(letters_);
  }
  for (auto& letter : batch) {
    const auto connection = letter.connection.lock();
    if (connection == nullptr) continue;
    connection->guarded([&] {
      if (letter.response) {
        connection->respond(std::move(*letter.response));
      } else {
        connection->give_up();
      }
    });
  }
}

void Mailbox::open() { owner_ = std::this_thread::get_id(); }

void Mailbox::close() {
  owner_ = std::thread::id{};
  const std::lock_guard lock(mutex_);
  context_ = nullptr;
  letters_.clear();
}

Place Crowd::enter(std::size_t limit) {
  if (inside_ < limit) {
    ++inside_;
    return Place::Inside;
  }
  if (doorway_ >= doorway_limit) return Place::Nowhere;
  ++doorway_;
  return Place::Doorway;
}

void Crowd::leave(Place place) {
  if (place == Place::Inside) --inside_;
  if (place == Place::Doorway) --doorway_;
  if (!empty()) return;
  const std::lock_guard lock(mutex_);
  emptied_.notify_all();
}

bool Crowd::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_until(lock, deadline, [this] { return empty(); });
}

Loop::Loop(Crowd& crowd, Milliseconds tick) : crowd_(crowd), tick_(tick), input_(input_size) {}

Loop::~Loop() { stop(); }

void Loop::start() {
  thread_ = std::thread([this] {
    scheduling::go_first();
    run();
  });
}

void Loop::run() {
  mailbox_->open();
  sweep();
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& error) {
      log::error("http: an event failed", {{"error", error.what()}});
    }
  }
}

// One timer for all deadlines: setting one costs a connection nothing but a store.
void Loop::sweep() {
  const auto now = std::chrono::steady_clock::now();
  for_each([now](Connection& connection) { connection.expire(now); });
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

void Loop::for_each(const std::function<void(Connection&)>& action) {
  // Backwards, for remove() moves the last one into the gap.
  for (std::size_t at = connections_.size(); at-- > 0;) {
    const auto connection = connections_[at];
    action(*connection);
  }
}

void Loop::drain() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    for_each([](Connection& connection) { connection.drain(); });
  });
}

void Loop::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(context_, [this] {
    for_each([](Connection& connection) { connection.close(); });
    context_.stop();
  });
  thread_.join();
  mailbox_->close();
}

void Loop::add(std::shared_ptr<Connection> connection) {
  connection->slot = connections_.size();
  connections_.push_back(std::move(connection));
}

void Loop::remove(Connection& connection) {
  crowd_.leave(connection.place());
  const auto slot = connection.slot;
  connections_[slot] = std::move(connections_.back());
  connections_[slot]->slot = slot;
  connections_.pop_back();
}

void Loop::send_soon(std::shared_ptr<Connection> connection, std::size_t begin) {
  outgoing_.push_back({std::move(connection), begin, output_.size()});
  if (outgoing_.size() > 1) return;  // it was said
  boost::asio::post(context_, [this] { flush(); });
}

// A connection that has sent may go on to its next request, whose answer goes out the next time.
void Loop::flush() {
  std::string bytes;
  bytes.swap(output_);
  const auto outgoing = std::exchange(outgoing_, {});
  for (const auto& [connection, begin, end] : outgoing) {
    const auto answer = std::string_view(bytes).substr(begin, end - begin);
    connection->guarded([&] { connection->send_answer(answer); });
  }
  if (!output_.empty() || bytes.capacity() > output_kept) return;
  bytes.clear();
  output_.swap(bytes);
}

std::string_view Loop::date() {
  const auto second = std::time(nullptr);
  if (second != date_second_) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::array<char, 40> text;
    const auto length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_.assign(text.data(), length);
    date_second_ = second;
  }
  return date_;
}

}  // namespace mp::http
