// One client on one stream: its admission, its protocol state, its place among the others and its
// end. Sits between its call (a Line) and the Switchboard; all entry points are safe from any
// thread. Knows nothing of the wire.
#pragma once

#include "base/outside.hpp"
#include "base/secret.hpp"
#include "xds/gate.hpp"
#include "xds/key_checks.hpp"
#include "xds/stream.hpp"
#include "xds/wire.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

class Switchboard;

// Aggregated discovery, secrets on a stream of their own, which do not count in the status, or
// access logs (xds/log_stream).
enum class Channel { Aggregated, Secrets, Logs };

// `[A-Za-z0-9._-]{1,64}`
bool valid_node_id(std::string_view id);
inline constexpr std::string_view node_id_rule =
    "node.id must be 1 to 64 letters, digits, dots, underscores or dashes";

// The transport of a stream. Every function returns at once; none calls back into the session.
class Line {
 public:
  virtual ~Line() = default;
  // Sends in order, all of them together where that is possible; returns how many messages still
  // wait.
  virtual std::size_t write(std::vector<Message> messages) = 0;
  virtual void read() = 0;  // asks for one more message
  virtual void finish(int grpc_status, const std::string& message) = 0;
  virtual void abort() = 0;  // after finish(), when the client does not take what was written
};

// Who is at the other end of a line.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual void on_message(std::string_view bytes) = 0;
  virtual void on_drained() {}  // everything written has been taken
  virtual void on_gone() = 0;   // the line ends now: it is not touched afterwards
};

// What the metadata and the method of the call say.
struct Call {
  Channel channel = Channel::Aggregated;
  Flavour flavour = Flavour::Delta;
  Secret cluster_key;
  std::string peer;
};

// What is known about a client at one moment.
struct ClientReport {
  NodeInfo node;
  std::string cluster;  // its name
  ProxyType type = ProxyType::Egress;
  std::vector<HeldResource> resources;
  std::vector<Refusal> refusals;
};

// What a group of proxies shares.
struct Publication {
  SnapshotPtr snapshot;       // null: none yet
  std::uint64_t edition = 0;  // grows with each publish of the group
};

// What the streams of a group make once for all of them. Never null.
struct Shared {
  std::shared_ptr<Differences> differences = std::make_shared<Differences>();
  std::shared_ptr<Parcels> parcels = std::make_shared<Parcels>();
};

class Session final : public Caller,
                      public KeyHolder,
                      public std::enable_shared_from_this<Session> {
 public:
  Session(StreamId id, Call call, Line& line, Switchboard& board);

  StreamId id() const { return id_; }
  // Whether the client said in its first request that it holds a configuration already. After
  // request_admission() only.
  bool returns() const { return returns_; }
  const Call& call() const { return call_; }

  void on_message(std::string_view bytes) override;
  void on_drained() override;
  void on_gone() override;

  // The proxy that it is, or will be once it is let in; empty for who is none or has not said yet.
  std::string proxy_id();

  // For who asks what clients hold.
  std::string node_id();
  std::optional<ClientReport> describe();  // none when it is not open

  // By the switchboard.
  void admit();  // may block
  void open(const Admission& admission, const Shared& shared, const Publication& publication);
  void publish(const Publication& publication);
  void on_time();
  void retry();
  std::optional<KeyQuestion> key_question() override;
  void key_holds(std::optional<Time> until, std::uint64_t asked) override;
  void close(int grpc_status, const std::string& message) override;

 private:
  enum class Phase { Waiting, Admitting, Open, Closed };

  void begin(Request request);
  void take(Request request);
  bool congested() const { return waiting_ >= most_waiting; }
  void catch_up();
  void read_on();
  void send(const Stream::Responses& responses);
  void schedule(Time now);
  void end(int grpc_status, const std::string& message);
  void after();  // without mutex_: reports, and leaves when closed
  bool report();
  void count(const Exchanges& exchanges);
  std::vector<HeldType> held();

  // A client that leaves so many messages unread is given and asked no more until it has read all.
  static constexpr std::size_t most_waiting = 32;

  const StreamId id_;
  const Call call_;
  Switchboard& board_;

  std::mutex reporting_;  // orders the reports; taken before mutex_, so that status may ask held()
  bool listed_ = false;   // known to the status and counted
  Progress reported_;
  std::uint64_t reported_refusals_ = 0;
  Exchanges counted_;

  std::mutex mutex_;  // guards what follows
  Line* line_;
  Phase phase_ = Phase::Waiting;
  Request first_;
  bool returns_ = false;
  NodeInfo node_;
  Secret key_;  // the cluster's, as the client shows it
  Admission admission_;
  std::uint64_t checked_ = 0;  // KeyChecks::changes() when the key was last asked about
  std::optional<Stream> stream_;
  std::shared_ptr<Parcels> parcels_;
  Publication publication_;
  std::size_t waiting_ = 0;  // messages that the client has not taken
  bool behind_ = false;      // there is a publication, or a time has come, that it was not given
  bool to_read_ = false;     // its next message was not asked for
  std::optional<Time> scheduled_;
  std::optional<Time> abort_at_;
};

}  // namespace mp::xds
