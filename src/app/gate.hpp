// Lets proxies in: the xDS server's question answered from the database. A node with a valid key
// that never registered is registered by connecting, under the licence's limit.
#pragma once

#include "api/context.hpp"
#include "xds/gate.hpp"

namespace mp {

class DatabaseGate final : public xds::Gate {
 public:
  explicit DatabaseGate(api::Context& context) : context_(context) {}
  xds::Admission admit(std::string_view cluster_key, const xds::NodeInfo& node) override;
  void admit_reader(std::string_view token, std::string_view peer) override;
  std::optional<Time> check(std::string_view cluster_key, std::int64_t cluster_id) override;

 private:
  api::Context& context_;
};

}  // namespace mp
