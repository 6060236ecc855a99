// One HTTP/2 connection without its socket: bytes in, bytes out, and the calls between, by gRPC's
// protocol over nghttp2 (PROTOCOL-HTTP2.md). Used by rpc/connection and the fuzzer. Belongs to one
// thread; knows no clock.
#pragma once

#include "rpc/call.hpp"
#include "rpc/gather.hpp"

#include <functional>
#include <unordered_map>

struct nghttp2_session;

namespace mp::rpc {

// Who receives on a new call; without one the call must be finished, or it is UNIMPLEMENTED.
using Accept = std::function<std::shared_ptr<Receiver>(const std::shared_ptr<Call>&)>;

// What a client's calls begin with.
struct Head {
  std::string authority;
  std::string scheme = "http";
};

class Session {
 public:
  // The server's side.
  Session(const Limits& limits, Host& host, std::string peer, const Accept& accept);
  // The client's.
  Session(const Limits& limits, Host& host, Head head);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // False when the other end broke the protocol: what is left to send tells it so.
  bool take(std::string_view bytes);
  // Adds what is to be sent; true when there is more than is sent at once.
  bool fill(Gather& gather);
  void sent();            // all of it was
  bool finished() const;  // nothing more will come or go
  bool greeted() const { return greeted_; }
  bool listens() const;      // what comes is not thrown away
  bool overfull() const;     // more waits to be sent than what honest clients cause
  bool takes_calls() const;  // a client's: there may be more of them

  // A client's call, which is begun by add(); in the order in which they are added.
  static std::shared_ptr<Call> make_call(const Limits& limits, std::string method, Fields fields,
                                         std::shared_ptr<Receiver> receiver);
  void add(std::shared_ptr<Call> call);
  // Does what other threads asked for, in the session of the call if it has one yet.
  static void update_owned(Call& call);
  void ping();
  void go_away();  // no calls from now on; it is finished when the last one has ended
  void tick();     // limits.tick has gone
  void end_all(const Status& status);
  std::size_t calls() const { return calls_.size(); }

 private:
  friend struct SessionCallbacks;
  enum class Side { Server, Client };

  Session(Side side, const Limits& limits, Host& host);
  void start();
  void update(Call& call);
  void submit(Call& call);
  void answer_at_once(Call& call, const char* http_status);
  void open(const std::shared_ptr<Call>& call);
  void head_ended(Call& call);
  void receive(Call& call, std::string_view bytes);
  void deliver(Call& call, std::string_view& input);
  void heard(Call& call);
  void hold(Call& call, std::size_t more);
  void refuse(Call& call, Assembly::Outcome outcome);
  void remote_ended(Call& call);
  void end(std::int32_t stream, std::uint32_t error);
  void end(Call& call, const Status& status);
  void cut(Call& call, std::uint32_t error);
  void count_idle_frame();
  Status outcome_of(const Call& call, std::uint32_t error) const;

  // For the callbacks: the frame of a call's data, and the end of a call.
  std::int64_t data_ready(Call& call, std::size_t most, std::uint32_t& flags);
  bool add_data(Call& call, std::string_view frame_head, std::size_t size);
  void trailers(Call& call);

  const Side side_;
  const Limits& limits_;
  Host& host_;
  std::string peer_;
  const Accept* accept_ = nullptr;
  Head head_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::shared_ptr<Call>> calls_;
  std::size_t silent_ = 0;  // of calls_: none of their messages has come
  Call* recent_ = nullptr;  // of calls_, the last one asked for: most connections have only one
  std::vector<std::shared_ptr<Call>> drained_;
  Gather* gather_ = nullptr;  // while it is filled
  bool full_ = false;
  bool greeted_ = false;
  bool deaf_ = false;     // it said what no library understands: no more of it is listened to
  bool broken_ = false;   // nothing can be sent any more
  int idle_frames_;       // that it may still send
  std::size_t held_ = 0;  // bytes of messages that have not come whole or were not asked for
};

}  // namespace mp::rpc
