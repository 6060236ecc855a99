// What a simulated fleet is told: the flags of marchproxy-fleet, which marchctl fleet simulate
// hands on.
#pragma once

#include "fleet/line.hpp"

#include <chrono>

namespace mp::fleet {

enum class Form { Table, Json };
enum class AtEnd { Stop, Reconnect };

struct Options {
  Target target;
  std::size_t proxies = 100;
  Variant variant = Variant::Delta;
  std::string node_prefix = "fleet-";
  std::string cluster;
  std::string proxy_type = "egress";
  std::chrono::seconds duration{30};
  std::chrono::seconds patience{120};    // until all are ready
  std::chrono::milliseconds pause{200};  // that parts two changes
  AtEnd at_end = AtEnd::Stop;
  Form form = Form::Table;
};

// Reads the command line and the files that it names. The exit code, when there is nothing to run:
// 0 after --help, 2 after wrong usage, which has been told.
struct Parsed {
  Options options;
  std::optional<int> exit;
};
Parsed parse(int count, const char* const* arguments);

}  // namespace mp::fleet
