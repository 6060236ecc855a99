// The client status discovery service (CSDS): what every client holds, as answers of the protocol,
// without gRPC. A query says which clients are meant; an answer is made part by part, so that its
// size depends on no fleet. Used by csds_service.
//
// Contents are given of clusters and endpoints. All else is told by name and version alone, for it
// may hold keys.
#pragma once

#include "xds/session.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// About the size of a part, in bytes; a single resource may make it larger.
inline constexpr std::size_t status_part_size = 1 << 20;

class StatusQuery {
 public:
  // A ClientStatusRequest. Throws mp::Error (Validation): not one, too many matchers, or a matcher
  // of a kind that is not served.
  explicit StatusQuery(std::string_view bytes);
  ~StatusQuery();
  StatusQuery(StatusQuery&&) noexcept;
  StatusQuery& operator=(StatusQuery&&) noexcept;

  bool matches(std::string_view node_id) const;
  bool with_contents() const;

 private:
  struct Request;
  std::unique_ptr<Request> request_;
};

// One client as ClientStatusResponse messages: its node, then its resources; more than one where it
// holds much.
std::vector<std::string> status_parts(const ClientReport& report, const StatusQuery& query);

}  // namespace mp::xds
