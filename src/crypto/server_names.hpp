// The names by which proxies may reach this manager, for the certificate of its port.
#pragma once

#include <string>
#include <vector>

namespace mp {

// This machine's name, localhost, both loopback addresses, and the host of `advertise` (host,
// host:port, [v6]:port, or empty).
std::vector<std::string> server_names(const std::string& advertise);

}  // namespace mp
