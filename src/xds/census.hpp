// Sums over the names and versions of a set of resources: kept as resources come and go, equal for
// equal sets in any order and any process. By them a client that comes back with everything it had
// is known without looking anything up. Used by snapshot, discovery and dialect; knows no resource.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mp::xds {

// 64-bit hash of a name, equal in any process.
std::uint64_t name_hash(std::string_view name);

// Names alone.
class NameSum {
 public:
  void add(std::string_view name) { add(name_hash(name)); }
  void add(std::uint64_t hash) { ++count_, sum_ += hash; }
  void remove(std::string_view name) { --count_, sum_ -= name_hash(name); }
  bool empty() const { return count_ == 0; }
  bool operator==(const NameSum&) const = default;

 private:
  std::size_t count_ = 0;
  std::uint64_t sum_ = 0;
};

class VersionSum {
 public:
  void add(std::string_view name, std::string_view version);
  void remove(std::string_view name, std::string_view version);
  void add(std::uint64_t hash) { sum_ += hash; }
  bool operator==(const VersionSum&) const = default;
  // The version of the set: 16 hex digits.
  std::string text() const;

 private:
  std::uint64_t sum_ = 0;
};

struct Census {
  NameSum names;
  VersionSum versions;

  void add(std::string_view name, std::string_view version);
  void remove(std::string_view name, std::string_view version) {
    names.remove(name);
    versions.remove(name, version);
  }
  bool operator==(const Census&) const = default;
};

}  // namespace mp::xds
