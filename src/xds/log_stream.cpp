#include "xds/log_stream.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include "envoy/service/accesslog/v3/als.pb.h"

#include <utility>

namespace mp::xds {
namespace {

constexpr int resource_exhausted = 8, unimplemented = 12, internal_status = 13;
constexpr std::size_t largest_message = 4u << 20;  // bytes; Envoy sends 16 KiB at a time
constexpr std::size_t most_streams = 100'000;
constexpr std::size_t admission_threads = 2, most_admissions = 4096;

std::string text_field(const google::protobuf::Struct& metadata, const std::string& name) {
  const auto found = metadata.fields().find(name);
  return found == metadata.fields().end() ? "" : found->second.string_value();
}

}  // namespace

LogStream::LogStream(std::uint64_t id, Call call, Line& line, LogDesk& desk)
    : id_(id), call_(std::move(call)), desk_(desk), line_(&line) {}
LogStream::~LogStream() = default;

void LogStream::on_message(std::string_view bytes) {
  const std::unique_lock lock{mutex_};
  try {
    if (phase_ != Phase::Waiting && phase_ != Phase::Open) return;
    if (!desk_.sink()) return end(unimplemented, "access logs are not taken here");
    if (bytes.size() > largest_message) return end(resource_exhausted, "the message is too long");
    LogMessage message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      throw Error{Code::Validation, "not a StreamAccessLogsMessage"};
    if (phase_ == Phase::Waiting)
      begin(message);
    else
      deliver(message);
  } catch (const Error& error) {
    end(facts(error.code).grpc_status, words_of(error));
  } catch (const std::exception& fault) {
    log::error("access logs not taken", {{"proxy", source_.proxy_id}, {"fault", fault.what()}});
    end(internal_status, "internal error");
  }
}

// The first message says who sends.
void LogStream::begin(const LogMessage& message) {
  if (call_.cluster_key.empty()) throw Error{Code::Authentication, "x-cluster-api-key is missing"};
  const auto& node = message.identifier().node();
  if (!valid_node_id(node.id())) throw Error{Code::Validation, std::string(node_id_rule)};
  constexpr std::size_t longest = 512;
  node_ = {.id = node.id(),
           .cluster = node.cluster().substr(0, longest),
           .proxy_type = text_field(node.metadata(), "proxy_type").substr(0, longest),
           .listen_address = text_field(node.metadata(), "listen_address").substr(0, longest),
           .peer = call_.peer};
  first_ = std::make_unique<LogMessage>(message);
  phase_ = Phase::Admitting;
  if (!desk_.post([self = shared_from_this()] { self->admit(); }))
    throw Error{Code::Unavailable, "too many proxies ask for admission"};
}

void LogStream::admit() {
  const std::uint64_t changes = desk_.key_checks().changes();
  NodeInfo node;
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::Admitting) return;
    node = node_;
  }
  try {
    const Admission admission = desk_.gate().admit(call_.cluster_key.reveal(), node);
    const LogSource source{admission.cluster_id, admission.proxy_id, admission.hostname};
    desk_.sink()->prepare(source);
    open(source, admission.key_valid_until);
    // The key may have ended between the answer of the gate and now.
    if (changes != desk_.key_checks().changes()) desk_.key_checks().ask({shared_from_this()});
  } catch (const Error& error) {
    close(facts(error.code).grpc_status, words_of(error));
  } catch (const std::exception& fault) {
    log::error("admission of access logs failed", {{"node", node.id}, {"fault", fault.what()}});
    close(internal_status, "internal error");
  }
}

void LogStream::open(const LogSource& source, std::optional<Time> key_valid_until) {
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::Admitting) return;
  phase_ = Phase::Open;
  source_ = source;
  key_valid_until_ = key_valid_until;
  ++desk_.counters().log_streams;
  deliver(*std::exchange(first_, nullptr));
}

void LogStream::deliver(const LogMessage& message) {
  if (key_valid_until_ && *key_valid_until_ <= desk_.now())
    throw Error{Code::Authentication, "cluster key expired"};
  desk_.sink()->take(source_, message);
  if (line_) line_->read();
}

void LogStream::on_time(Time now) {
  const std::lock_guard lock{mutex_};
  if (phase_ == Phase::Open && key_valid_until_ && *key_valid_until_ <= now)
    end(facts(Code::Authentication).grpc_status, "cluster key expired");
}

std::optional<KeyQuestion> LogStream::key_question() {
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::Open) return std::nullopt;
  return KeyQuestion{.cluster_id = source_.cluster_id, .key = call_.cluster_key};
}

void LogStream::key_holds(std::optional<Time> until, std::uint64_t asked) {
  const std::lock_guard lock{mutex_};
  if (asked < checked_) return;
  checked_ = asked;
  key_valid_until_ = until;
}

void LogStream::close(int grpc_status, const std::string& message) {
  const std::lock_guard lock{mutex_};
  end(grpc_status, message);
}

void LogStream::end(int grpc_status, const std::string& message) {
  if (phase_ == Phase::Closed) return;
  if (phase_ == Phase::Open) --desk_.counters().log_streams;
  phase_ = Phase::Closed;
  if (grpc_status != facts(Code::Unavailable).grpc_status) ++desk_.counters().log_refusals;
  if (line_) line_->finish(grpc_status, message);
}

void LogStream::on_gone() {
  {
    const std::lock_guard lock{mutex_};
    if (phase_ == Phase::Open) --desk_.counters().log_streams;
    phase_ = Phase::Closed;
    line_ = nullptr;
  }
  desk_.leave(id_);
}

bool LogStream::is_of_cluster(std::int64_t cluster_id) const {
  const std::lock_guard lock{mutex_};
  return phase_ == Phase::Open && (cluster_id == 0 || source_.cluster_id == cluster_id);
}

bool LogStream::is_of_proxy(std::string_view proxy_id) const {
  const std::lock_guard lock{mutex_};
  if (phase_ == Phase::Admitting) return node_.id == proxy_id;
  return phase_ == Phase::Open && source_.proxy_id == proxy_id;
}

LogDesk::LogDesk(Gate& gate, const Clock& clock, LogSink* sink, Counters& counters)
    : gate_(gate),
      clock_(clock),
      sink_(sink),
      counters_(counters),
      key_checks_(gate, clock, [this](auto job) { return workers_.post(std::move(job)); }),
      workers_(admission_threads, most_admissions) {}

LogDesk::~LogDesk() { stop(); }

std::shared_ptr<LogStream> LogDesk::add(Call call, Line& line) {
  const std::lock_guard lock{mutex_};
  if (stopped_ || streams_.size() >= most_streams) return nullptr;
  auto stream = std::make_shared<LogStream>(++last_id_, std::move(call), line, *this);
  streams_.emplace(last_id_, stream);
  return stream;
}

void LogDesk::leave(std::uint64_t id) {
  std::shared_ptr<LogStream> last;  // goes after the lock
  const std::lock_guard lock{mutex_};
  if (const auto found = streams_.extract(id)) last = found.mapped();
}

std::vector<std::shared_ptr<LogStream>> LogDesk::all() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<LogStream>> list;
  list.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) list.push_back(stream);
  return list;
}

void LogDesk::recheck(std::int64_t cluster_id) {
  key_checks_.count_change();
  KeyChecks::Holders members;
  for (const auto& stream : all()) {
    if (stream->is_of_cluster(cluster_id)) members.push_back(stream);
  }
  key_checks_.ask_soon(std::move(members));
}

void LogDesk::close_proxy(std::string_view proxy_id, const std::string& reason) {
  for (const auto& stream : all()) {
    if (stream->is_of_proxy(proxy_id)) stream->close(facts(Code::Permission).grpc_status, reason);
  }
}

void LogDesk::tick(Time now) {
  for (const auto& stream : all()) stream->on_time(now);
  key_checks_.tick();
}

void LogDesk::stop() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopped_, true)) return;
  }
  for (const auto& stream : all())
    stream->close(facts(Code::Unavailable).grpc_status, "the server stops");
  workers_.stop();
}

}  // namespace mp::xds
