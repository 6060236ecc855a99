// The names by which proxies may reach this manager, for the certificate of its port.
#pragma once

#include <string>
#include <vector>

namespace mp {

// This machine's name, localhost, both loopback addresses, and the hosts of `advertise` (each host,
// host:port or [v6]:port).
std::vector<std::string> server_names(const std::vector<std::string>& advertise);

}  // namespace mp
