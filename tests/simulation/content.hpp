// What the simulated proxies are given: a few resources of every type that refer to one another,
// and random edits that leave no reference without its target, as the builder's snapshots have
// none.
#pragma once

#include "tests/simulation/random.hpp"
#include "xds/snapshot.hpp"

#include <array>
#include <compare>
#include <map>
#include <string>
#include <vector>

namespace mp::xds {

struct Reference {
  Type type = Type::Cluster;
  std::string name;
  auto operator<=>(const Reference&) const = default;
};

// What a resource of the simulation refers to; the endpoints of a cluster, which have its name, are
// not in it.
std::vector<Reference> references_of(const Resource& resource);

// Narrow: as the seeds of seeds.txt were found. Wide: more sorts of clients, more that they do, and
// now and then many resources.
enum class Breadth { Narrow, Wide };

// A name that may exist one day.
std::string any_name(Type type, Random& random);

class Content {
 public:
  Content(Random& random, Breadth breadth);

  // One to four edits; the next snapshot. Few leave everything as it is, or the revision.
  SnapshotPtr next();

 private:
  struct Item {
    std::size_t form = 0;  // few, so that a form comes back
    std::vector<Reference> references;
    ResourcePtr made;
  };
  using Items = std::map<std::string, Item>;

  std::string new_name(Type type);
  Items& of(Type type) { return items_[static_cast<std::size_t>(type)]; }
  void edit();
  void add(Type type);
  void drop(Type type);
  void change(Type type);
  void forget(const Reference& target);
  std::vector<Reference> any_references(Type type);
  void refer(std::vector<Reference>& references, Type type, std::size_t most);
  void make_again();
  SnapshotPtr snapshot();

  Random& random_;
  bool is_large_;
  std::array<Items, type_count> items_;
  std::int64_t revision_ = 0;
};

}  // namespace mp::xds
