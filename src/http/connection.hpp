// One client's connection: reads requests, hands them to the Handler one after the other, writes
// the answers in order. Belongs to one Loop and runs on its thread only. Used by server.cpp and
// loop.cpp.
#pragma once

#include "http/loop.hpp"
#include "http/parser.hpp"
#include "http/server.hpp"
#include "net/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mp::http {

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// What all connections of a server share; read-only.
struct Site {
  const ServerOptions& options;
  Handler& handler;
  std::unique_ptr<net::Tls> tls;  // null: plain HTTP

  Response refusal(int status, std::string_view message) const;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // The socket is connected and non-blocking. `peer` is the client's address.
  Connection(Loop& loop, const Site& site, Socket socket, std::string peer, Place place);

  void start();
  Place place() const { return place_; }

  // The current request's answer. Ignored when none is due.
  void respond(Response response);
  void give_up();                                      // the answer will never come: 500
  void send_answer(std::string_view bytes);            // as rendered; for the Loop
  bool handing_over() const { return handing_over_; }  // inside Handler::handle

  void expire(std::chrono::steady_clock::time_point now);
  void drain();  // closes unless a whole request is there
  void close();

  // Runs the action; when it throws, the connection ends.
  void guarded(const std::function<void()>& action);

  std::size_t slot = 0;  // in the Loop's list

 private:
  enum class Stage { Opening, Idle, Reading, Answering, Holding, Writing, Lingering, Closed };

  void enter(Stage stage, Milliseconds timeout);
  void wait(net::Transfer want);
  void proceed();
  void turn_away();
  void open();
  void receive();
  std::string_view serve(std::string_view bytes);
  void serve_kept();
  void go_on();
  bool serve_next(std::string_view& bytes);
  void await_more();
  bool has_input();  // received and not read yet
  void allow_body();
  void hand_over();
  void refuse(const Refusal& refusal);
  void hold(Response response);
  void release();
  void write(const Response& response);
  void send(std::string_view bytes);
  net::Moved put(std::string_view bytes);
  void keep(std::string_view unsent);
  void finish();
  void linger();

  Loop& loop_;
  const Site& site_;
  Socket socket_;
  std::unique_ptr<net::Channel> channel_;
  std::string peer_;
  const Place place_;
  Parser parser_;
  std::string
      input_;  // received and not read yet: part of a request, or requests behind the current one
  std::size_t used_ = 0;            // of input_
  std::string output_;              // what the socket did not take at once
  std::unique_ptr<Response> held_;  // while Holding
  std::size_t sent_ = 0;            // of output_
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point refused_at_;  // when a write was answered 503
  Stage stage_ = Stage::Opening;
  bool keep_alive_ = true;
  bool old_version_ = false;
  bool without_body_ = false;
  bool reading_ = true;  // a request that is safe, or none
  bool handing_over_ = false;
  bool serving_ = false;
};

}  // namespace mp::http
