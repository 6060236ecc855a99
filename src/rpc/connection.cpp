#include "rpc/connection.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

namespace mp::rpc {
namespace {

constexpr int most_reads = 8;  // of one connection before others have their turn

Status does_not_read() { return {code::unavailable, "the other end does not read"}; }

}  // namespace

Connection::Connection(Loop& loop, const Limits& limits, Socket socket,
                       std::unique_ptr<Channel> channel, std::string peer, const Accept& accept)
    : loop_(loop),
      limits_(limits),
      socket_(std::move(socket)),
      channel_(std::move(channel)),
      session_(limits, *this, std::move(peer), accept),
      began_(std::chrono::steady_clock::now()),
      heard_(began_),
      used_(began_) {}

Connection::Connection(Loop& loop, const Limits& limits, Socket socket, Head head)
    : loop_(loop),
      limits_(limits),
      socket_(std::move(socket)),
      session_(limits, *this, std::move(head)),
      began_(std::chrono::steady_clock::now()),
      heard_(began_),
      used_(began_) {}

Connection::~Connection() { close_socket(); }

void Connection::close_socket() {
  if (handle_ < 0) return;
  loop_.forget(handle_);
  ::close(std::exchange(handle_, -1));
}

// What goes wrong in one connection ends that one.
template <class Step>
void Connection::guarded(Step step) {
  try {
    step();
  } catch (const std::exception& fault) {
    log::error("rpc: a connection failed", {{"fault", fault.what()}});
    loop_.output() = {};
    close({code::internal, "internal error"});
  }
}

void Connection::start() {
  loop_.add(shared_from_this());
  if (loop_.draining()) return close({code::unavailable, "it stops"});
  guarded([this] { begin(); });
}

void Connection::start(std::unique_ptr<Channel> channel) {
  channel_ = std::move(channel);
  guarded([this] { begin(); });
}

// From here on the socket is the loop's to wait for.
void Connection::begin() {
  handle_ = socket_.release();
  loop_.watch(handle_, *this);
  shake_hands();
}

void Connection::shake_hands() {
  const Transfer result = channel_->open();
  if (result != Transfer::Done) return wait_for(result);
  open_ = true;
  flush_soon();
  read();
}

// The wait ends when there is more than there was: whoever waits has read or written all he could.
void Connection::wait_for(Transfer wanted) {
  if (wanted == Transfer::WantRead) {
    reading_ = true;
  } else if (wanted == Transfer::WantWrite) {
    writing_ = true;
  } else {
    close({code::unavailable, "the connection was lost"});
  }
}

void Connection::on_ready(std::uint32_t events) {
  if (closed_) return;
  constexpr std::uint32_t ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  guarded([&] {
    if ((events & ended) != 0) ending_ = true;
    if ((events & (EPOLLIN | ended)) != 0 && std::exchange(reading_, false)) on_readable();
    if (closed_) return;
    if ((events & (EPOLLOUT | ended)) != 0 && std::exchange(writing_, false)) on_writable();
  });
}

void Connection::on_readable() {
  if (!open_) return shake_hands();
  read();
  if (unsent_) flush_soon();  // TLS may have waited for what came
}

void Connection::on_writable() {
  if (!open_) return shake_hands();
  if (!reading_ && channel_->may_hold_input()) read();  // TLS may have had to write for that
  flush_soon();
}

void Connection::read() {
  const auto input = loop_.input();
  for (int round = 0; round < most_reads; ++round) {
    const Moved moved = channel_->read(input);
    if (moved.result != Transfer::Done) return wait_for(moved.result);
    heard_ = std::chrono::steady_clock::now();
    pinged_.reset();
    if (!session_.take({input.data(), moved.bytes})) leave();
    flush_soon();
    if (closed_) return;
    // The end that came with these bytes is not told again.
    if (!ending_ && !channel_->may_hold_input() && moved.bytes < input.size())
      return wait_for(Transfer::WantRead);
  }
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->closed_) return;
    self->guarded([&] { self->read(); });
  });
}

// Of what failed only the call goes: its own counts may be wrong now, the session's are not.
void Connection::update(Call& call) {
  try {
    Session::update_owned(call);
  } catch (const std::exception& fault) {
    log::error("rpc: a call failed", {{"fault", fault.what()}});
    call.abort();
  }
}

void Connection::add(std::shared_ptr<Call> call) { session_.add(std::move(call)); }

void Connection::flush_soon() {
  if (!open_ || closed_ || std::exchange(flushing_, true)) return;
  loop_.flush_soon(shared_from_this());
}

void Connection::flush() {
  flushing_ = false;
  if (closed_) return;
  guarded([this] {
    if (unsent_) {
      const std::size_t before = unsent_->size();
      const Transfer result = unsent_->send(*channel_);
      if (unsent_->size() < before) moved_ = std::chrono::steady_clock::now();
      if (result != Transfer::Done) return wait_to_send(result);
      unsent_.reset();
    }
    for (bool more = true; more;) {
      Gather& output = loop_.output();
      more = session_.fill(output);
      const Transfer result = output.send(*channel_);
      if (result == Transfer::Done) continue;
      unsent_ = std::make_unique<Gather>(std::exchange(output, {}));
      moved_ = std::chrono::steady_clock::now();
      return wait_to_send(result);
    }
    session_.sent();
    if (!session_.finished()) return;
    channel_->end_sending();
    close({code::unavailable, "the connection ended"});
  });
}

void Connection::wait_to_send(Transfer wanted) {
  if (session_.overfull()) return close(does_not_read());
  wait_for(wanted);
}

void Connection::leave() {
  leaving_ = true;
  if (!left_) left_ = std::chrono::steady_clock::now();
}

void Connection::go_away() {
  if (closed_ || std::exchange(leaving_, true)) return;
  if (!open_) return close({code::unavailable, "it stops"});
  session_.go_away();
}

void Connection::tick(Moment now) {
  guarded([&] {
    if (closed_) return;
    session_.tick();
    if (!session_.listens()) leave();
    if ((!open_ || !session_.greeted()) && now - began_ > limits_.greeting)
      return close({code::unavailable, "the other end did not greet"});
    if (unsent_ && now - moved_ > limits_.stuck) return close(does_not_read());
    if (left_ && now - *left_ > limits_.farewell)
      return close({code::unavailable, "the connection ended"});
    if (session_.calls() > 0) used_ = now;
    if (now - used_ > limits_.unused) return go_away();
    if (!open_ || now - heard_ < limits_.silence) return;
    if (!pinged_) {
      pinged_ = now;
      session_.ping();
    } else if (now - *pinged_ > limits_.answer) {
      close({code::unavailable, "the other end is silent"});
    }
  });
}

void Connection::close(const Status& status) {
  if (std::exchange(closed_, true)) return;
  const auto self = shared_from_this();
  close_socket();
  boost::system::error_code ignored;  // one that is not connected yet is closed all the same
  socket_.close(ignored);
  unsent_.reset();
  loop_.remove(*this);
  session_.end_all(status);
}

}  // namespace mp::rpc
