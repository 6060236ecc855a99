#include "xds/server.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "rpc/server.hpp"
#include "xds/csds_service.hpp"
#include "xds/line.hpp"
#include "xds/log_stream.hpp"
#include "xds/switchboard.hpp"

#include <google/protobuf/stubs/logging.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace mp::xds {
namespace {

constexpr Milliseconds stop_patience{5'000};
constexpr std::string_view key_metadata = "x-cluster-api-key";

struct Method {
  std::string_view path;
  Channel channel;
  Flavour flavour;
};
constexpr std::array methods{
    Method{"/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
           Channel::Aggregated, Flavour::Delta},
    Method{"/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
           Channel::Aggregated, Flavour::StateOfTheWorld},
    Method{"/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets", Channel::Secrets,
           Flavour::Delta},
    Method{"/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", Channel::Secrets,
           Flavour::StateOfTheWorld},
    Method{"/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", Channel::Logs,
           Flavour::Delta},
};

// protobuf complains of texts that are no UTF-8 in its own form; that is for who looks for a fault.
void write_protobuf_log(google::protobuf::LogLevel, const char* file, int line,
                        const std::string& text) {
  log::debug("protobuf", {{"text", text}, {"file", file}, {"line", std::to_string(line)}});
}

}  // namespace

class Server::Core {
 public:
  Core(ServerOptions options, Gate& gate, Status& status, const Clock& clock)
      : options_(std::move(options)),
        desk_(gate, clock, options_.logs, status.counters()),
        board_(
            options_.on_group, options_.on_group_gone, [this](Time now) { desk_.tick(now); }, gate,
            status, clock),
        status_(board_),
        server_({.listen = options_.listen, .tls = options_.tls},
                [this](const std::shared_ptr<rpc::Call>& call) { return accept(call); }) {}
  ~Core() { stop(); }

  void start() {
    google::protobuf::SetLogHandler(write_protobuf_log);
    try {
      server_.start();
    } catch (const std::runtime_error& fault) {
      throw unavailable("xds.listen: cannot listen on " + options_.listen, fault.what());
    }
  }

  void stop() {
    board_.stop();
    status_.stop();
    desk_.stop();
    server_.stop(stop_patience);
  }

  void renew(const ServerTls& tls) { server_.renew(tls); }
  int port() const { return server_.port(); }
  rpc::Server::Burst burst() { return server_.burst(); }
  Switchboard& board() { return board_; }
  LogDesk& desk() { return desk_; }

 private:
  // Nobody: there is no such method.
  std::shared_ptr<rpc::Receiver> accept(const std::shared_ptr<rpc::Call>& call) {
    for (const auto& method : methods) {
      if (method.path == call->method()) return open(call, method);
    }
    return status_.accept(call);
  }

  std::shared_ptr<rpc::Receiver> open(const std::shared_ptr<rpc::Call>& call,
                                      const Method& method) {
    const auto line = std::make_shared<CallLine>(call);
    Call begun{.channel = method.channel,
               .flavour = method.flavour,
               .cluster_key = Secret{std::string(call->field(key_metadata))},
               .peer = call->peer()};
    if (method.channel == Channel::Logs)
      line->begin(desk_.add(std::move(begun), *line));
    else
      line->begin(board_.add(std::move(begun), *line));
    return line;
  }

  const ServerOptions options_;
  LogDesk desk_;
  Switchboard board_;
  StatusService status_;
  rpc::Server server_;
};

Server::Server(ServerOptions options, Gate& gate, Status& status, const Clock& clock)
    : core_(std::make_unique<Core>(std::move(options), gate, status, clock)) {}
Server::~Server() = default;

void Server::start() { core_->start(); }
int Server::port() const { return core_->port(); }
void Server::publish(const GroupKey& group, SnapshotPtr snapshot) {
  const auto burst = core_->burst();
  core_->board().publish(group, std::move(snapshot));
}
std::vector<GroupKey> Server::groups() const { return core_->board().groups(); }
void Server::recheck(std::int64_t cluster_id) {
  core_->board().recheck(cluster_id);
  core_->desk().recheck(cluster_id);
}
void Server::close_proxy(std::string_view proxy_id, std::string_view reason) {
  core_->board().close_proxy(proxy_id, std::string(reason));
  core_->desk().close_proxy(proxy_id, std::string(reason));
}
bool Server::retry(std::string_view proxy_id) { return core_->board().retry(proxy_id); }
void Server::renew(ServerTls tls) { core_->renew(tls); }
void Server::stop() { core_->stop(); }

}  // namespace mp::xds
