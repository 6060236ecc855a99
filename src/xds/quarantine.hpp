// The resource versions that one proxy refused: they are not sent to it again unchanged, but tried
// anew after a while, on request, and when they change. Also reads what a refusal's text says. Used
// by xds/stream, one of these for each; never holds what the proxy dumped of a resource.
#pragma once

#include "base/time.hpp"
#include "xds/snapshot.hpp"
#include "xds/status.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::xds {

// After the n-th refusal of one version: 30 s, 60 s, … at most 10 min.
inline constexpr Milliseconds first_retry{30'000};
inline constexpr Milliseconds longest_retry{600'000};

class Quarantine {
  using Key = std::pair<Type, std::string>;

 public:
  bool empty() const { return entries_.empty(); }
  bool contains(Type type, const std::string& name) const {
    return entries_.contains(Key{type, name});
  }
  bool holds(Type type, const Resource& resource) const;  // this version

  // Whether this version was refused and its time to be tried again has not come.
  bool blocks(Type type, const Resource& resource) const;

  void refuse(Type type, const Resource& resource, std::string_view message, std::int64_t revision,
              Time now);
  // The client accepted the name, or it is gone from the snapshot or the subscription. Whether it
  // was there.
  bool forget(Type type, std::string_view name);
  // Forgets the names of the type for which `keep` is false.
  void keep_only(Type type, const std::function<bool(std::string_view)>& keep);
  // This version is on its way once more: wait for the answer before the next time.
  void trying(Type type, const Resource& resource);

  // It was tried and refused together with others, and nobody knows for whose sake.
  void suspect(Type type, const Resource& resource);

  // Lets through what has waited long enough; the types for which that is so are in the answer.
  std::vector<Type> release(Time now);
  std::vector<Type> release_all();
  std::optional<Time> next_release() const;

  // Whether the text blames something that is refused already.
  bool is_blamed(Type type, std::string_view message) const;
  std::vector<Refusal> list() const;  // by type in the order of the wire, then by name
  std::uint64_t edition() const { return edition_; }  // grows with every change of list()

 private:
  struct Entry {
    Refusal refusal;
    int attempts = 1;
    std::optional<Time> next_try;  // none: it may be sent, or is on its way
    bool released = false;
  };
  std::vector<Type> release_until(std::optional<Time> limit);

  std::map<Key, Entry> entries_;
  std::uint64_t edition_ = 0;
};

// Envoy's words without its dump of the refused resource, which may hold secrets; at most 500
// bytes.
std::string clean_message(std::string_view message);

struct Blame {
  ResourcePtr resource;
  std::string message;  // the part of the text that is about it
};

// The resources that the text blames by name: Envoy's "Error adding/updating cluster(s) a: …, b: …"
// (listener(s) likewise) names those at fault and means that the others of the response are active.
// Empty when the text names none of them.
std::vector<Blame> blamed(std::string_view message, const Resources& sent);

}  // namespace mp::xds
