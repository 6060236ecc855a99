#include "syslog/relay.hpp"

#include "syslog/destination.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <condition_variable>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>

namespace mp::syslog {
namespace {

namespace asio = boost::asio;

constexpr std::size_t name_threads = 4, most_names = 4096;

asio::ssl::context make_tls(const std::string& authorities) {
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  tls.set_verify_mode(asio::ssl::verify_peer);
  boost::system::error_code error;
  if (authorities.empty())
    tls.set_default_verify_paths(error);
  else
    tls.load_verify_file(authorities, error);
  if (error) throw std::runtime_error("syslog.ca: " + authorities + ": " + error.message());
  return tls;
}

}  // namespace

struct Relay::Inside {
  explicit Inside(RelayOptions given)
      : options(std::move(given)),
        tls(make_tls(options.authorities)),
        thread([this] { context.run(); }) {}

  std::vector<std::shared_ptr<Destination>> all() const {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Destination>> list;
    for (const auto& [id, destination] : destinations) list.push_back(destination);
    return list;
  }

  std::shared_ptr<Destination> find(std::int64_t cluster_id) const {
    const std::lock_guard lock(mutex);
    const auto found = destinations.find(cluster_id);
    return found == destinations.end() ? nullptr : found->second;
  }

  bool all_quiet() const {
    for (const auto& each : all()) {
      if (!each->quiet()) return false;
    }
    return true;
  }

  const RelayOptions options;
  asio::io_context context{1};
  asio::ssl::context tls;
  asio::executor_work_guard<asio::io_context::executor_type> staying{context.get_executor()};
  Workers resolvers{name_threads, most_names};
  const Surroundings surroundings{options, context, tls, resolvers, [this] { notify(); }};

  void notify() {
    {
      const std::lock_guard lock(settling);
    }
    settled.notify_all();
  }
  std::mutex settling;
  std::condition_variable settled;

  mutable std::mutex mutex;
  std::map<std::int64_t, std::shared_ptr<Destination>> destinations;
  bool stopped = false;
  std::thread thread;
};

Relay::Relay(RelayOptions options) : inside_(std::make_unique<Inside>(std::move(options))) {}

Relay::~Relay() { stop(); }

void Relay::direct(const Direction& direction) {
  std::shared_ptr<Destination> destination;
  {
    const std::lock_guard lock(inside_->mutex);
    if (inside_->stopped) return;
    auto& slot = inside_->destinations[direction.cluster_id];
    if (!slot) {
      slot = std::make_shared<Destination>(inside_->surroundings);
      slot->start();
    }
    destination = slot;
  }
  destination->direct(direction);
}

void Relay::put(std::int64_t cluster_id, const std::vector<Record>& records) {
  if (records.empty()) return;
  if (const auto destination = inside_->find(cluster_id)) destination->put(records);
}

std::optional<Standing> Relay::standing(std::int64_t cluster_id) const {
  const auto destination = inside_->find(cluster_id);
  return destination ? std::optional(destination->standing()) : std::nullopt;
}

void Relay::stop() {
  {
    const std::lock_guard lock(inside_->mutex);
    if (std::exchange(inside_->stopped, true)) return;
  }
  {
    std::unique_lock lock(inside_->settling);
    inside_->settled.wait_for(lock, inside_->options.farewell,
                              [this] { return inside_->all_quiet(); });
  }
  for (const auto& destination : inside_->all()) destination->close();
  inside_->staying.reset();
  inside_->resolvers.stop();
  inside_->context.stop();
  inside_->thread.join();
}

}  // namespace mp::syslog
