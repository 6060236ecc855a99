// The protocol of one discovery stream, without gRPC and without a clock of its own: requests,
// snapshots and the time go in, responses come out in the order in which they must be sent. Used by
// xds/server under that stream's lock; one object for both variants, which differ in xds/dialect
// only.
//
// Order (xDS protocol, "Eventual consistency considerations", make before break): clusters,
// endpoints, secrets, listeners, routes, scoped routes; removals last and in reverse. What uses
// clusters waits until new clusters are acknowledged (Envoy acknowledges when they are warm), at
// most `longest_hold`.
#pragma once

#include "xds/dialect.hpp"
#include "xds/difference.hpp"
#include "xds/discovery.hpp"
#include "xds/lane.hpp"
#include "xds/quarantine.hpp"
#include "xds/snapshot.hpp"
#include "xds/status.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mp::xds {

inline constexpr Milliseconds longest_hold{1'000};
// How long a proxy may take to ask for what a new cluster or listener refers to, before it is taken
// as not wanting it.
inline constexpr Milliseconds longest_expectation{1'000};
// How long a proxy that comes back may take to say what it holds, before anything that is gone is
// taken from it.
inline constexpr Milliseconds longest_return{1'000};

struct Exchanges {
  std::uint64_t pushes = 0;
  std::uint64_t acknowledgements = 0;
  std::uint64_t refusals = 0;
};

class Stream {
 public:
  using Responses = std::vector<Response>;

  // `differences` is shared by the streams of a group and never null.
  Stream(Flavour flavour, std::shared_ptr<Differences> differences);

  // Throws mp::Error (Validation) when the request breaks a limit: the stream must end. A request
  // for a type that is not served is ignored.
  Responses on_request(const Request& request, Time now);
  Responses on_snapshot(SnapshotPtr snapshot, Time now);
  Responses on_time(Time now);
  Responses on_retry(Time now);  // sends what is refused again

  // When on_time() is to be called at the latest; none: only after the next event.
  std::optional<Time> next_wake(Time now) const;

  const SnapshotPtr& target() const { return target_; }
  const Progress& progress() const { return progress_; }
  const Quarantine& quarantine() const { return quarantine_; }
  const Exchanges& exchanges() const { return exchanges_; }
  // One by one, by type and name, with those that are subscribed to and not there yet.
  std::vector<HeldResource> resources() const;
  std::vector<HeldType> held() const;  // one for each type asked for; costs a walk over all names

 private:
  struct Expected {
    NameSet names;
    std::int64_t revision = 0;
  };

  Lane& lane(Type type) { return lanes_[static_cast<std::size_t>(type)]; }
  const Lane& lane(Type type) const { return lanes_[static_cast<std::size_t>(type)]; }

  void add_resources(const Lane& lane, std::vector<HeldResource>& all) const;
  void take_names(Lane& lane, const SubscriptionChange& change);
  bool asks_for_all(const Lane& lane, const SubscriptionChange& change) const;
  bool holds_all(const Lane& each, const KnownVersions& versions) const;
  void subscribe(Lane& lane, const Request& request, Time now);
  void answered(Lane& lane, const Request& request, Time now);
  void take_again(Lane& lane, const ResourcePtr& resource);
  void accept(Lane& lane, const std::vector<Flight>& flights);
  void accept(Type type, const Resource& resource);
  void refuse(Lane& lane, const std::vector<Flight>& flights, const std::string& message, Time now);
  void blame(Lane& lane, const Sent& sent, const std::string& message, std::int64_t revision,
             Time now);

  Responses step(Time now);
  void step_lane(Lane& lane, Time now, Responses& responses);
  void send_parts(Lane& lane, Time now, Responses& responses);
  void advance(Lane& lane, Time now, Responses& responses);
  void remove(Time now, Responses& responses);
  bool recalls(const Lane& lane) const;
  bool wants_advance(const Lane& lane) const;
  bool lacks_clusters(const Lane& lane) const;
  bool held_back(const Lane& lane, Time now) const;
  std::int64_t complete(const Lane& lane) const;
  bool consumer_leaves() const;
  std::int64_t done_with_removals(const Lane& lane) const;
  bool keeps(Type type) const;
  bool may_be_used(Type type, Time now) const;
  void renew_endpoints(const SharedList<Sent>& clusters);
  void expect(const SnapshotPtr& from, Time now);
  void measure(Time now);
  bool retells(const Lane& lane, const Sent& sent) const;
  // The drafts bring what changed after that revision.
  void send(Lane& lane, std::vector<Draft> drafts, std::int64_t after, Time now,
            Responses& responses);

  Flavour flavour_;
  const Dialect& dialect_;
  std::shared_ptr<Differences> differences_;
  std::array<Lane, type_count> lanes_;
  SnapshotPtr target_;
  Quarantine quarantine_;
  std::array<bool, type_count> retry_{};         // something has left the quarantine
  std::set<std::string, std::less<>> renewals_;  // clusters sent before endpoints were asked for
  std::array<Expected, type_count> expected_;
  std::optional<Time> expected_until_;
  std::array<Time, type_count> asked_{};  // when each type was asked for first
  std::optional<Time> returning_until_;
  std::uint64_t last_nonce_ = 0;
  Progress progress_;
  Exchanges exchanges_;
  std::array<std::optional<Time>, type_count> answered_;  // the last acknowledgement
};

}  // namespace mp::xds
