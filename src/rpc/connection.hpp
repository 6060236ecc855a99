// One TCP connection of either side: reads and writes for its session, and the times it has for
// that. Belongs to its loop's thread. Reads into memory that all connections of the loop share, and
// keeps bytes to be written only while the other end takes none.
#pragma once

#include "rpc/loop.hpp"
#include "rpc/session.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace mp::rpc {

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using Moment = std::chrono::steady_clock::time_point;

class Connection final : public Host, public std::enable_shared_from_this<Connection> {
 public:
  // Of a server, connected.
  Connection(Loop& loop, const Limits& limits, Socket socket, std::unique_ptr<Channel> channel,
             std::string peer, const Accept& accept);
  // Of a client.
  Connection(Loop& loop, const Limits& limits, Socket socket, Head head);
  ~Connection() override;

  void start();  // a server's
  // A client's, once it is connected; calls may be added before.
  void start(std::unique_ptr<Channel> channel);

  static void update(Call& call);
  void add(std::shared_ptr<Call> call);
  void flush();
  // The socket can be read, written or is lost now, as epoll(7) says it.
  void on_ready(std::uint32_t events);
  void tick(Moment now);
  void go_away();
  void close(const Status& status);
  bool usable() const { return !closed_ && !leaving_ && session_.takes_calls(); }
  Socket& socket() { return socket_; }  // until it is connected

  // Host
  void ready(std::shared_ptr<Call> call) override { loop_.ready(std::move(call)); }
  void flush_soon() override;

 private:
  void on_readable();
  void on_writable();
  void begin();
  void close_socket();
  void shake_hands();
  void read();
  void wait_for(Transfer wanted);
  void wait_to_send(Transfer wanted);
  void leave();
  template <class Step>
  void guarded(Step step);

  Loop& loop_;
  const Limits& limits_;
  Socket socket_;
  std::unique_ptr<Channel> channel_;
  Session session_;
  std::unique_ptr<Gather> unsent_;
  const Moment began_;
  Moment heard_;                  // when the other end last said anything
  Moment used_;                   // when there was last a call
  std::optional<Moment> pinged_;  // since then
  Moment moved_;                  // when it last took any of unsent_
  std::optional<Moment> left_;    // when it began to end
  bool open_ = false;             // TLS is done
  int handle_ = -1;               // of the socket, from when it is connected until it is closed
  bool reading_ = false;          // it waits until there is something to read
  bool writing_ = false;          // it waits until it can write
  bool ending_ = false;           // the other end sends no more, or is lost
  bool flushing_ = false;         // flush_soon() was called
  bool leaving_ = false;
  bool closed_ = false;
};

}  // namespace mp::rpc
