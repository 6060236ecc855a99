// Registered proxies: who is offline, what is computed of them, and their registration, by the API
// and by connecting to xDS alike.
#pragma once

#include "api/call.hpp"
#include "model/enrolment.hpp"

#include <string>

namespace mp::api {

// A condition that holds for rows of offline proxies; adds the parameter :offline_before to
// `selection`.
std::string offline_condition(Selection& selection, const Call& call);
// Fills status and config from what is known now.
void complete(Proxy& proxy, const Call& call);

// Adds or finds the proxy of (cluster, hostname, type). Throws Feature when the licence has no
// room.
struct Enrolment {
  std::string wanted_id;  // empty: a new one is made; one of a deleted proxy is refused
  Registration registration;
  std::int64_t cluster_id = 0;
};
Proxy enrol(Writer& db, Context& context, const Enrolment& enrolment);

// Proxies without a heartbeat for three intervals count as offline only without a stream: keeps the
// connected ones seen. From the background loop.
void see_connected(Context& context);

}  // namespace mp::api
