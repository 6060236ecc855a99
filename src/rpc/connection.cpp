#include "rpc/connection.hpp"

#include "base/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

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
      heard_(began_) {}

Connection::Connection(Loop& loop, const Limits& limits, Socket socket, Head head)
    : loop_(loop),
      limits_(limits),
      socket_(std::move(socket)),
      session_(limits, *this, std::move(head)),
      began_(std::chrono::steady_clock::now()),
      heard_(began_) {}

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
  guarded([this] { shake_hands(); });
}

void Connection::start(std::unique_ptr<Channel> channel) {
  channel_ = std::move(channel);
  guarded([this] { shake_hands(); });
}

void Connection::shake_hands() {
  const Transfer result = channel_->open();
  if (result != Transfer::Done) return wait_for(result);
  open_ = true;
  flush_soon();
  read();
}

void Connection::wait_for(Transfer wanted) {
  if (wanted == Transfer::WantRead) return wait_readable();
  if (wanted == Transfer::WantWrite) return wait_writable();
  close({code::unavailable, "the connection was lost"});
}

void Connection::wait_readable() {
  if (closed_ || std::exchange(reading_, true)) return;
  if (open_ && !channel_->may_hold_input()) return wait_for_bytes();
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const auto& error) {
    self->reading_ = false;
    if (error || self->closed_) return;
    self->guarded([&] { self->on_readable(); });
  });
}

// A wait without a read costs an epoll_ctl each time.
void Connection::wait_for_bytes() {
  socket_.async_read_some(
      boost::asio::buffer(first_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        self->reading_ = false;
        if (self->closed_) return;
        self->guarded([&] {
          if (error) return self->wait_for(Transfer::Lost);
          self->on_bytes(count);
        });
      });
}

void Connection::wait_writable() {
  if (closed_ || std::exchange(writing_, true)) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const auto& error) {
    self->writing_ = false;
    if (error || self->closed_) return;
    self->guarded([&] { self->on_writable(); });
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

void Connection::on_bytes(std::size_t count) {
  take({first_.data(), count});
  if (count == first_.size()) return read();
  wait_readable();
}

void Connection::take(std::string_view bytes) {
  heard_ = std::chrono::steady_clock::now();
  pinged_.reset();
  if (!session_.take(bytes)) leave();
  flush_soon();
}

void Connection::read() {
  const auto input = loop_.input();
  for (int round = 0; round < most_reads; ++round) {
    const Moved moved = channel_->read(input);
    if (moved.result != Transfer::Done) return wait_for(moved.result);
    take({input.data(), moved.bytes});
    if (!channel_->may_hold_input() && moved.bytes < input.size()) return wait_readable();
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
  try {
    socket_.close();
  } catch (const std::exception& fault) {  // it is closed all the same
    log::debug("rpc: a connection did not close well", {{"fault", fault.what()}});
  }
  unsent_.reset();
  loop_.remove(*this);
  session_.end_all(status);
}

}  // namespace mp::rpc
