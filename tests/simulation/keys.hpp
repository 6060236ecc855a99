// What the database says of clusters, their keys and their proxies in a simulated run, and the gate
// that reads it. Used by key_run.cpp.
#pragma once

#include "base/outside.hpp"
#include "xds/gate.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace mp::xds {

inline constexpr Milliseconds key_overlap{3'600'000};

class Keys {
 public:
  explicit Keys(const Clock& clock) : clock_(clock) {}

  void add(std::int64_t cluster);
  std::string current(std::int64_t cluster) const;
  // The key before it, also when it is over.
  std::string former(std::int64_t cluster) const;
  // When the previous key ends, while it counts.
  std::optional<Time> overlap_end(std::int64_t cluster) const;

  void rotate(std::int64_t cluster);
  void toggle(std::int64_t cluster);  // deactivates, or activates again
  void remove(const std::string& node) { removed_.insert(node); }

  // Throws what the gate throws.
  Admission admit(std::string_view key, const std::string& node) const;
  std::optional<Time> check(std::string_view key, std::int64_t cluster) const;
  bool lets_in(std::string_view key, const std::string& node) const;

 private:
  struct Cluster {
    int key = 1;
    std::optional<Time> previous_until;
    bool active = true;
  };
  struct Issued {
    std::int64_t cluster = 0;
    int key = 0;
  };
  // The cluster that a key opens now, and when that ends.
  std::optional<std::int64_t> find(std::string_view key, std::optional<Time>& until) const;

  const Clock& clock_;
  std::map<std::int64_t, Cluster> clusters_;
  std::map<std::string, Issued, std::less<>> issued_;  // by the key's text
  std::set<std::string> removed_;
};

// Between the answer and who asked for it anything may happen: `meanwhile`.
class KeyGate final : public Gate {
 public:
  KeyGate(const Keys& keys, std::function<void()> meanwhile)
      : keys_(keys), meanwhile_(std::move(meanwhile)) {}
  Admission admit(std::string_view key, const NodeInfo& node) override;
  void admit_reader(std::string_view, std::string_view) override {}
  std::optional<Time> check(std::string_view key, std::int64_t cluster) override;

  bool away = false;                    // the database
  std::set<std::string> turned_away{};  // nodes that could not be let in for that

 private:
  const Keys& keys_;
  const std::function<void()> meanwhile_;
};

}  // namespace mp::xds
