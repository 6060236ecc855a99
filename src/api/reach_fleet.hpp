// The proxies of a cluster and whether they hold what a way is made of. Used by api/reachability.
#pragma once

#include "model/reachability.hpp"
#include "xds/hub.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mp::api {

class ReachFleet {
 public:
  ReachFleet() = default;
  // As the database and the streams have them now.
  ReachFleet(Reader& db, xds::Hub& hub, std::int64_t cluster_id);

  std::int64_t revision() const { return revision_; }
  bool has(ProxyKind kind) const;
  bool has_any() const { return !proxies_.empty(); }

  // The proxies of the way's type. `upstream`: what the destination's resources come from.
  std::vector<ReachProxy> on_the_way(const ReachWay& way, const xds::Object& upstream) const;

  // What of the way's proxies is missing, so that nothing passes; none when one of them is live.
  struct Lack {
    ObstacleKind kind = ObstacleKind::NoProxy;
    std::string message;
  };
  static std::optional<Lack> lack_of(const ReachWay& way);

 private:
  using Key = std::pair<std::string, std::int64_t>;
  ReachProxy standing(const Proxy& proxy, const std::vector<Key>& objects) const;

  std::vector<Proxy> proxies_;
  std::map<std::string, xds::ProxyState> states_;
  xds::Objects unpublished_;  // changes that are not on their way yet
  std::int64_t revision_ = 0;
};

}  // namespace mp::api
