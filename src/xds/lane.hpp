// What one client holds of one resource type on one stream, and what it still lacks: xds/stream has
// one lane for each type. A lane that is level keeps a pointer to a snapshot and its few
// exceptions, not a map of all names. It plans what to send and follows the answers; it knows no
// message format.
#pragma once

#include "xds/difference.hpp"
#include "xds/quarantine.hpp"
#include "xds/subscription.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// How long an unanswered response holds back the next push of its type. Envoy withholds the answer
// to clusters while one of them warms, so that the wait must end.
inline constexpr Milliseconds patience{250};
inline constexpr std::int64_t no_revision = std::numeric_limits<std::int64_t>::max();

// A response that was not answered yet.
struct Flight {
  std::string nonce;
  std::int64_t revision = 0;
  std::int64_t after = 0;  // it brings what changed after this revision
  Time at;
  SharedList<Sent> sent;
  bool adds = false;     // something that the client did not have
  bool alone = false;    // nothing else was unanswered when it took off
  bool repeats = false;  // it holds all that was sent before, but for what leaves with it
  std::vector<std::string> leaves = {};
  Resources repeated = {};  // of what it holds, what was refused since it took off
};

struct Delivery {
  SharedList<Sent> sends;
  std::vector<std::string> absent;  // asked for by name, and there is no such resource
  std::shared_ptr<const Bundle> bundle = nullptr;  // of which `sends` is all; may be null
  bool empty() const { return sends.empty() && absent.empty(); }
};

class Lane {
 public:
  explicit Lane(Type type) : type_(type) {}

  Type type() const { return type_; }
  bool requested() const { return subscription_.requested(); }
  const Subscription& subscription() const { return subscription_; }
  const SnapshotPtr& base() const { return base_; }

  // Takes over what the request subscribes to. Throws mp::Error (Validation) beyond the limits.
  SubscriptionChange subscribe(const Request& request, Flavour flavour);
  void know(const KnownVersions& versions);    // what the client says that it holds already
  void hold_all(const SnapshotPtr& snapshot);  // the client holds all that it asks for
  void claim(std::string version) { claimed_ = std::move(version); }
  const std::string& claimed() const { return claimed_; }  // version_info of an earlier stream
  void owe(std::string_view name) { owed_.emplace(name); }
  bool owes() const { return !owed_.empty(); }

  // Everything between what the client holds and the snapshot, without what is in quarantine.
  // Removals are noted, to be taken later.
  Delivery advance(const SnapshotPtr& target, Differences& differences, Quarantine& quarantine);
  // Of this type the target is what the base is: nothing is to be sent.
  bool is_level(const Snapshot& target) const {
    return base_ && exceptions_.empty() && base_->of(type_).is(target.of(type_));
  }
  void follow(const SnapshotPtr& target) { base_ = target; }
  // Only what is owed.
  Delivery answer(const Snapshot& target, Quarantine& quarantine);
  // The next of the parts into which a refused response was split.
  Delivery next_part(const Snapshot& target, Flavour flavour, Quarantine& quarantine);
  bool has_parts() const { return !parts_.empty(); }
  // Names to be removed that left the snapshot not after `revision`, and have not come back.
  std::vector<std::string> take_removals(std::int64_t revision, const Snapshot& target);

  void took_off(Flight flight);
  void told(std::string nonce);  // a response that nobody need answer
  const std::vector<Flight>& flights() const { return flights_; }
  const std::string& last_nonce() const { return last_nonce_; }  // empty: nothing was sent yet
  // The response of that nonce, last, and those sent before it that were never answered: a client
  // that answers the later one has worked through them. Empty for a nonce that is not waited for.
  std::vector<Flight> land(std::string_view nonce);
  void refused(const Sent& sent);
  // Refused before, and then taken.
  void took_again(const ResourcePtr& resource, const Snapshot& target);
  // None of these was applied: they go again, in at most 16 parts, to find the culprit.
  void isolate(const std::vector<Sent>& sent, std::int64_t after);
  void share_names(NameSets& pool) { subscription_.share(pool); }
  std::int64_t parts_after() const { return parts_after_; }
  // An empty part: what is held is said once more.
  void repeat() {
    if (parts_.empty() || !parts_.back().empty()) parts_.emplace_back();
  }

  bool busy(Time now) const { return !flights_.empty() && now < flights_.back().at + patience; }
  bool idle() const { return flights_.empty() && parts_.empty() && owed_.empty(); }
  bool holds_base() const { return exceptions_.empty(); }  // and nothing else: nothing leaves
  bool holds_nothing() const { return !base_ && exceptions_.empty(); }
  // Something is refused and an older form of it is in use, or a newer one is not yet acknowledged.
  bool keeps_last_good(const Quarantine& quarantine) const;
  std::optional<std::int64_t> leaving_since() const;
  // Up to here nothing is on its way any more, removals aside.
  std::int64_t complete() const;

  ResourcePtr held(std::string_view name) const;
  Resources all_held() const;  // sorted by name

 private:
  struct Exception {
    ResourcePtr held;  // null: the client lacks it, or nobody knows
    std::optional<std::int64_t>
        leaving;  // removed from the snapshot in this revision, not yet sent
  };
  using Exceptions = std::map<std::string, Exception, std::less<>>;
  // A delivery that is being made.
  struct Plan {
    std::vector<Sent> sends;
    std::vector<std::string> absent;
    Delivery finished();
  };

  void before_wildcard();
  void before_names(const std::vector<std::string_view>& names);
  bool asks_for_all(const Snapshot& target) const;
  std::shared_ptr<const Bundle> shared_bundle(const SnapshotPtr& from, const SnapshotPtr& target,
                                              Differences& differences) const;
  void plan(Plan& plan, const std::string& name, Exception present, const ResourcePtr& want,
            Quarantine& quarantine);
  void plan_owed(Plan& plan, const std::string& name, const ResourcePtr& present,
                 const ResourcePtr& want, Quarantine& quarantine);
  void set_held(std::string_view name, const ResourcePtr& held);

  Type type_;
  Subscription subscription_;
  std::string claimed_;
  std::string last_nonce_;
  SnapshotPtr base_;
  Exceptions exceptions_;
  std::set<std::string, std::less<>> owed_;
  // Few; vectors, because an empty deque takes half a KiB, six lanes a stream.
  std::vector<Flight> flights_;
  std::vector<std::vector<std::string>> parts_;
  std::int64_t parts_after_ = 0;  // as Flight::after
};

}  // namespace mp::xds
