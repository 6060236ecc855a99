// One I/O thread: its event loop, its connections and their ticks, and the calls that other threads
// have something for. Used by server, client and connection. Everything not said to be safe belongs
// to the loop's thread.
#pragma once

#include "rpc/call.hpp"
#include "rpc/gather.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mp::rpc {

class Connection;

// How many connections there are, over all loops. Safe from any thread.
class Crowd {
 public:
  void enter();
  void leave();
  // Whether the last one left before the deadline.
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

 private:
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::size_t inside_ = 0;
};

class Loop {
 public:
  Loop(Crowd& crowd, const Limits& limits);
  ~Loop();

  void start();
  void drain();  // any thread: connections take no more calls, and end with their last one
  bool draining() const { return draining_; }
  void stop();  // any thread but the loop's: ends all connections and joins

  boost::asio::io_context& context() { return context_; }

  // Something is to be done for a call. Many of them are one wake-up. Safe from any thread.
  void ready(std::shared_ptr<Call> call);
  // Between the two it is not woken for few calls. Safe from any thread.
  void hold();
  void release();
  // The connection is flushed after the events that are there now, once for all that was written in
  // them.
  void flush_soon(std::shared_ptr<Connection> connection);

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);
  // Tells an added connection what becomes possible on its socket, until it is removed. Registered
  // once, edge-triggered (epoll(7)): to wait costs no system call, unlike Asio's waits.
  void watch(int socket, Connection& connection);
  // Before the socket is closed: where another process has it too, closing alone takes it out of no
  // set (epoll(7), question 6).
  void forget(int socket);

  // Scratch memory that the loop's connections share: nobody keeps bytes in it between two events.
  std::span<char> input() { return input_; }
  Gather& output() { return output_; }

 private:
  void settle();
  void wait_for_sockets();
  void tell_sockets();
  void wait_for_tick();
  void each(const std::function<void(Connection&)>& step);

  Crowd& crowd_;
  const Limits& limits_;
  boost::asio::io_context context_;
  boost::asio::steady_timer timer_;
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> sockets_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  bool telling_ = false;                               // connections what their sockets can do
  std::vector<std::shared_ptr<Connection>> departed_;  // meanwhile: they may yet be told
  std::vector<char> input_;
  Gather output_;
  std::vector<std::shared_ptr<Connection>> unflushed_;
  bool flushing_ = false;  // it will look at unflushed_
  bool draining_ = false;
  std::thread thread_;

  std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Call>> ready_;
  bool awake_ = false;  // the thread will look at ready_
  int held_ = 0;        // how many want it to be left alone
};

}  // namespace mp::rpc
