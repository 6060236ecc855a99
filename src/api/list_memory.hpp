// What is remembered of long lists between two changes: how many rows each has, and which row some
// of its pages begin with, so that nobody counts to them again. Exact: an entry counts only for the
// revision at which it was made, so it is for nouns whose every change is logged. Bounded; safe
// from any thread.
#pragma once

#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace mp::api {

class ListMemory {
 public:
  // The row with this id is the offset-th of its list, counted from 0.
  struct Place {
    std::int64_t offset = 0;
    std::int64_t id = 0;
  };
  struct Known {
    std::optional<std::int64_t> total;
    Place place;  // the nearest at or before the wanted offset; id 0: the beginning
  };

  Known recall(const std::string& list, std::int64_t revision, std::int64_t offset);
  void keep(const std::string& list, std::int64_t revision, std::int64_t total, Place place);

  // Tells lists apart: table, conditions with their values, order.
  static std::string name_of(const Description& description, const Selection& selection);

 private:
  struct Entry {
    std::int64_t revision = 0;
    std::int64_t total = 0;
    std::map<std::int64_t, std::int64_t> places;  // offset → id
  };
  static constexpr std::size_t most_lists = 256;
  static constexpr std::size_t most_places = 64;

  std::mutex mutex_;
  std::unordered_map<std::string, Entry> lists_;
};

}  // namespace mp::api
