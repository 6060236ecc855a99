// The syslog server of one cluster: what waits for it, the link to it, and how it stands. Follows a
// changed endpoint at once; tries a server that is away again, each time a little later. Used by
// relay.cpp. Functions are safe from any thread, the work is done on the relay's.
#pragma once

#include "base/time.hpp"
#include "base/workers.hpp"
#include "syslog/backlog.hpp"
#include "syslog/endpoint.hpp"
#include "syslog/link.hpp"
#include "syslog/record.hpp"
#include "syslog/relay.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace mp::syslog {

// What destinations share.
struct Surroundings {
  const RelayOptions& options;
  boost::asio::io_context& context;
  boost::asio::ssl::context& tls;
  Workers& resolvers;             // looking up a name may block
  std::function<void()> settled;  // some destination has nothing to do, or cannot do it
};

class Destination : public std::enable_shared_from_this<Destination> {
 public:
  explicit Destination(const Surroundings& surroundings);

  void start();
  // Where to; without a valid endpoint what waits is dropped.
  void direct(const Direction& direction);
  void put(const std::vector<Record>& records);
  Standing standing() const;
  // Nothing waits, or it cannot be sent now.
  bool quiet() const;
  void close();

 private:
  struct Target {
    std::optional<Endpoint> endpoint;
    std::uint64_t edition = 0;
  };
  using Work = boost::asio::awaitable<std::string>;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> idle();
  boost::asio::awaitable<void> rest(Milliseconds time);
  boost::asio::awaitable<void> fail(std::string fault);
  boost::asio::awaitable<void> send();
  Work within(Work work);
  Work open(const Endpoint& endpoint);
  Work resolve(const Endpoint& endpoint);
  bool drop_stale_link();
  Target target() const;
  void note_reachable();
  bool note_fault(const std::string& fault);
  void abandon();

  const Surroundings& surroundings_;
  Backlog backlog_;

  mutable std::mutex mutex_;  // guards what follows
  Standing standing_;
  Target target_;
  bool busy_ = false;

  // Only on the relay's thread.
  boost::asio::steady_timer alarm_;
  boost::asio::steady_timer change_;
  bool idle_ = false;
  bool closed_ = false;
  bool proved_ = false;  // a datagram of this link was not refused
  std::shared_ptr<Link> link_;
  std::uint64_t link_edition_ = 0;
  std::vector<Place> places_;
  std::size_t next_place_ = 0;
  Milliseconds pause_{0};
};

}  // namespace mp::syslog
