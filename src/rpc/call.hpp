// One call of a connection, of either side: what is written and asked for by any thread, until the
// session's thread takes it. Made by rpc/session and rpc/client; its Receiver hears of it. A client
// that sets a deadline (grpc-timeout) ends the call itself when it is over; the server does not
// count.
#pragma once

#include "rpc/assembly.hpp"
#include "rpc/limits.hpp"
#include "rpc/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp::rpc {

class Call;
class Session;

// Who hears what comes on a call: one function at a time, on the connection's thread, and without a
// lock of the call's. None may block.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void on_message(std::string_view bytes) = 0;  // that read() asked for
  virtual void on_drained() {}                          // everything written has been taken
  virtual void on_end(const Status& status) = 0;        // the last of all
};

// Where calls say that there is something to do for them.
class Host {
 public:
  virtual ~Host() = default;
  virtual void ready(std::shared_ptr<Call> call) = 0;  // from any thread
  virtual void flush_soon() = 0;                       // on the session's thread
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  explicit Call(const Limits& limits) : assembly_(limits.largest_message) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // While the server decides who receives, and for the client's head before it is sent.
  const std::string& method() const { return method_; }  // "/package.Service/Method"
  std::string_view field(std::string_view name) const;   // empty when there is none
  const std::string& peer() const { return peer_; }      // its address

  // The rest is safe from any thread, returns at once, and calls no Receiver.

  // Sends in order; returns how many messages wait with them. None are taken after finish().
  std::size_t write(std::vector<Message> messages);
  void read();  // asks for one more message
  // The last word, after what was written: a server's status, or that a client says no more.
  void finish(Status status);
  void abort();  // ends the call at once, whatever waits

 private:
  friend class Session;
  friend struct SessionCallbacks;

  struct Part {
    Piece piece;
    bool ends_message = false;
  };
  // What other threads asked for since it was looked at.
  struct Wishes {
    std::optional<Status> ending;
    bool aborted = false;
  };

  void post();  // with mutex_
  Wishes take_wishes();
  bool begin_delivery();
  void want_again();
  void end_delivery();  // what is wanted now has not come
  bool ending() const;
  bool hoards() const;  // what comes is only kept
  std::size_t unsent() const { return unsent_; }
  void taken(std::size_t messages);
  void detach();

  // Of the session's thread.
  Session* session_ = nullptr;
  std::int32_t stream_ = 0;
  std::shared_ptr<Receiver> receiver_;
  std::string method_;
  std::string peer_;
  Fields fields_;
  std::size_t head_size_ = 0;
  Assembly assembly_;
  std::string unread_;          // came before it was asked for
  std::size_t unconsumed_ = 0;  // bytes that the window does not have back yet
  bool remote_ended_ = false;
  bool heard_ = false;     // a message has come whole; a client has no need of that
  Milliseconds waited_{};  // for it
  std::vector<Part> sending_;
  std::size_t first_ = 0;   // of sending_ that is not sent yet,
  std::size_t offset_ = 0;  // and how much of it is
  std::size_t unsent_ = 0;  // bytes in sending_
  std::size_t taken_ = 0;   // messages sent since the receiver was told
  bool begun_ = false;      // our head is sent
  bool deferred_ = false;   // nghttp2 waits to be told of more to send
  std::optional<Status> ending_now_;
  std::optional<Status> outcome_;  // what the server said, at the client

  mutable std::mutex mutex_;  // guards what follows
  Host* host_ = nullptr;
  std::vector<Part> outgoing_;
  std::size_t waiting_ = 0;  // messages written and not taken
  bool wanted_ = false;
  bool delivering_ = false;
  bool posted_ = false;
  bool aborted_ = false;
  bool ended_ = false;
  std::optional<Status> ending_;
};

}  // namespace mp::rpc
