// Prints what the simulated fleet saw, as it goes: lines of a table, or an object a line.
#pragma once

#include "fleet/options.hpp"

#include <string>

namespace mp::fleet {

class Report {
 public:
  explicit Report(Form form) : form_(form) {}

  // "ready", "change" or "reconnected"; `proxies` of the fleet, of which the change says how many
  // were concerned.
  void event(const std::string& name, const Change& change);
  // Streams that ended by themselves, or never opened.
  void lost(std::size_t streams, const Ended& last);
  void note(const std::string& text) const;  // standard error

 private:
  Form form_;
  bool headed_ = false;
};

}  // namespace mp::fleet
