#include "xds/gate.hpp"

#include "base/log.hpp"

namespace mp::xds {

void check_again(Gate& gate, std::string_view cluster_key, std::int64_t cluster_id,
                 std::string_view node_id, const KeyCheck& check) {
  try {
    check.holds(gate.check(cluster_key, cluster_id));
  } catch (const Error& error) {
    if (error.code == Code::Authentication || error.code == Code::Permission)
      check.refused(facts(error.code).grpc_status, words_of(error));
    else
      check.unknown();
  } catch (const std::exception& fault) {
    log::warning("a cluster key was not checked again",
                 {{"node", std::string(node_id)}, {"fault", fault.what()}});
    check.unknown();
  }
}

}  // namespace mp::xds
