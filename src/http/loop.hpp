// One I/O thread: its event loop, its connections, their deadlines, and the answers that other
// threads post to them. Used by server.cpp and connection.cpp. Everything not said to be safe
// belongs to the loop's thread.
#pragma once

#include "base/time.hpp"
#include "http/message.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mp::http {

class Connection;

// Answers on their way to a loop's connections. It outlives the loop, so that an Answer may come
// too late. Its functions are safe from any thread.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(boost::asio::io_context& context) : context_(&context) {}

  // Without a response: the Handler let go of its Answer unused.
  void put(std::weak_ptr<Connection> connection, std::optional<Response> response);
  bool is_loop_thread() const { return owner_ == std::this_thread::get_id(); }

  void open();   // by the loop's thread when it starts
  void close();  // after it ended; letters are thrown away from now on

 private:
  struct Letter {
    std::weak_ptr<Connection> connection;
    std::optional<Response> response;
  };
  void deliver();

  std::atomic<std::thread::id> owner_{};
  std::mutex mutex_;
  boost::asio::io_context* context_;
  std::vector<Letter> letters_;
};

// Where a new connection finds room.
enum class Place {
  Inside,
  Doorway,  // there are too many, and it is told so
  Nowhere,  // even for that there are too many
};

// How many connections there are, over all loops. Safe from any thread, but for enter(): from one.
class Crowd {
 public:
  Place enter(std::size_t limit);
  void leave(Place place);
  // Whether the last one left before the deadline.
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

 private:
  bool empty() const { return inside_ == 0 && doorway_ == 0; }

  std::atomic<std::size_t> inside_{0};
  std::atomic<std::size_t> doorway_{0};
  std::mutex mutex_;
  std::condition_variable emptied_;
};

class Loop {
 public:
  Loop(Crowd& crowd, Milliseconds tick);
  ~Loop();

  void start();
  void drain();  // any thread: idle connections close now, the others after their answer
  void stop();   // any thread but the loop's: closes all connections and joins

  boost::asio::io_context& context() { return context_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  bool draining() const { return draining_; }

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);

  // Scratch memory that the loop's connections share: nobody keeps bytes in it between two events.
  std::span<char> input() { return input_; }
  std::string_view date();  // now, as the Date field has it

  // Answers are appended here and go out together, once the events that are due were handled: a
  // client that waits on the same core then wakes up to many answers instead of one.
  std::string& output() { return output_; }
  // The connection's answer is in output() from `begin` to its end.
  void send_soon(std::shared_ptr<Connection> connection, std::size_t begin);

 private:
  struct Outgoing {
    std::shared_ptr<Connection> connection;
    std::size_t begin;
    std::size_t end;
  };

  void run();
  void sweep();
  void flush();
  void for_each(const std::function<void(Connection&)>& action);

  Crowd& crowd_;
  const Milliseconds tick_;
  boost::asio::io_context context_{1};
  boost::asio::steady_timer timer_{context_};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(context_);
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<char> input_;
  std::string output_;
  std::vector<Outgoing> outgoing_;  // its answers
  std::time_t date_second_ = 0;
  std::string date_;
  bool draining_ = false;
  std::thread thread_;
};

}  // namespace mp::http
