// When API keys were last used: noted in memory on every request, written to the database now and
// then by the background loop. A crash loses the last minute of it. Thread-safe.
#pragma once

#include "store/store.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace mp {

class KeyUse {
 public:
  void note(const std::string& key_id, Time now);
  // What is noted and not written yet.
  std::optional<Time> of(const std::string& key_id) const;
  // Writes what was noted since the last time. When it throws, that is noted still.
  void save(Store& store);

 private:
  using Times = std::unordered_map<std::string, Time>;
  mutable std::mutex mutex_;
  Times noted_;  // not more than there are keys
};

}  // namespace mp
