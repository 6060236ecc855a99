// The streams on which proxies send their access logs (envoy.service.accesslog.v3): who may open
// one, whose records come on it, and when it ends. Without gRPC types, as xds/session is. The gate
// is asked on threads of its own; one message of a stream is worked on before the next is read, so
// that a flood waits in the proxy and not here.
#pragma once

#include "base/outside.hpp"
#include "base/workers.hpp"
#include "xds/gate.hpp"
#include "xds/key_checks.hpp"
#include "xds/session.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace envoy::service::accesslog::v3 {
class StreamAccessLogsMessage;
}

namespace mp::xds {

using LogMessage = envoy::service::accesslog::v3::StreamAccessLogsMessage;

// Whose records a message holds.
struct LogSource {
  std::int64_t cluster_id = 0;
  std::string proxy_id;
  std::string hostname;
};

// What becomes of records. Both are called by several threads at once; `prepare` once for each
// stream, before the first message, and it may block.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void prepare(const LogSource& source) = 0;
  virtual void take(const LogSource& source, const LogMessage& message) = 0;
};

class LogDesk;

class LogStream final : public Caller,
                        public KeyHolder,
                        public std::enable_shared_from_this<LogStream> {
 public:
  LogStream(std::uint64_t id, Call call, Line& line, LogDesk& desk);
  ~LogStream() override;

  void on_message(std::string_view bytes) override;
  void on_gone() override;

  // By the desk.
  void admit();            // may block
  void on_time(Time now);  // ends it when its key has ended
  std::optional<KeyQuestion> key_question() override;
  void key_holds(std::optional<Time> until, std::uint64_t asked) override;
  void close(int grpc_status, const std::string& message) override;
  bool is_of_cluster(std::int64_t cluster_id) const;
  bool is_of_proxy(std::string_view proxy_id) const;  // also before it is let in

 private:
  enum class Phase { Waiting, Admitting, Open, Closed };

  void begin(const LogMessage& message);
  void open(const LogSource& source, std::optional<Time> key_valid_until);
  void deliver(const LogMessage& message);
  void end(int grpc_status, const std::string& message);

  const std::uint64_t id_;
  const Call call_;
  LogDesk& desk_;

  mutable std::mutex mutex_;  // guards what follows
  Line* line_;
  Phase phase_ = Phase::Waiting;
  NodeInfo node_;
  std::unique_ptr<LogMessage> first_;
  LogSource source_;
  std::optional<Time> key_valid_until_;
  std::uint64_t checked_ = 0;  // KeyChecks::changes() when the key was last asked about
};

class LogDesk {
 public:
  // Without a sink every stream is refused (UNIMPLEMENTED).
  LogDesk(Gate& gate, const Clock& clock, LogSink* sink, Counters& counters);
  ~LogDesk();  // stop()

  // Null when the server stops.
  std::shared_ptr<LogStream> add(Call call, Line& line);
  void recheck(std::int64_t cluster_id);  // 0: of all clusters
  void close_proxy(std::string_view proxy_id, const std::string& reason);
  void tick(Time now);
  void stop();

  // For streams.
  Gate& gate() { return gate_; }
  LogSink* sink() { return sink_; }
  Counters& counters() { return counters_; }
  Time now() const { return clock_.now(); }
  KeyChecks& key_checks() { return key_checks_; }
  bool post(std::function<void()> job) { return workers_.post(std::move(job)); }
  void leave(std::uint64_t id);

 private:
  std::vector<std::shared_ptr<LogStream>> all() const;

  Gate& gate_;
  const Clock& clock_;
  LogSink* sink_;
  Counters& counters_;
  mutable std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  bool stopped_ = false;
  std::map<std::uint64_t, std::shared_ptr<LogStream>> streams_;
  KeyChecks key_checks_;
  Workers workers_;
};

}  // namespace mp::xds
