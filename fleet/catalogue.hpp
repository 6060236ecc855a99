// The resources that a control plane has sent to any of the simulated proxies, each kept once with
// what it refers to: thousands of proxies hold the same ones, so a proxy keeps pointers. Safe from
// any thread. Used by messages.cpp and proxy.cpp.
#pragma once

#include "xds/type.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mp::fleet {

using xds::all_types;  // in the order in which Envoy asks
using xds::find_type;
using xds::Type;
using xds::type_count;
using xds::type_url;

using NameId = std::uint32_t;

// A name that a resource makes a proxy ask for.
struct Need {
  Type type = Type::Endpoint;
  NameId name = 0;
  auto operator<=>(const Need&) const = default;
};

struct Resource {
  Type type = Type::Cluster;
  NameId name = 0;
  std::string version;  // delta only
  std::vector<Need> needs;
  bool scopes = false;  // a listener that takes its routes by scope
};

// Bytes that were written about a list of things, kept for the next who has the same list: when all
// come back at once, all say the same. Safe from any thread.
template <class Item>
class KeptTexts {
 public:
  using Text = std::shared_ptr<const std::string>;

  template <class Make>
  Text of(const std::vector<Item>& items, Make make) {
    const std::lock_guard lock{mutex_};
    for (const auto& [known, text] : texts_) {
      if (known == items) return text;
    }
    if (texts_.size() == kept) texts_.pop_back();
    texts_.emplace_front(items, std::make_shared<const std::string>(make()));
    return texts_.front().second;
  }

 private:
  static constexpr std::size_t kept = 16;

  std::mutex mutex_;
  std::deque<std::pair<std::vector<Item>, Text>> texts_;
};

class Catalogue {
 public:
  NameId id_of(std::string_view name);
  std::string name_of(NameId id) const;

  // Keeps what `any`, a serialised google.protobuf.Any, holds.
  const Resource* add(Type type, std::string_view name, std::string_view version,
                      std::string_view any);

  KeptTexts<const Resource*>& versions() { return versions_; }
  KeptTexts<NameId>& names() { return subscribed_; }

  // Looks many up under one lock. What it adds, it adds in between.
  class Look {
   public:
    explicit Look(Catalogue& catalogue) : catalogue_(catalogue), lock_(catalogue.mutex_) {}
    // What was seen under that name and version, or nullptr.
    const Resource* find(Type type, std::string_view name, std::string_view version) const;
    template <class Add>
    const Resource* add(Add add) {
      lock_.unlock();
      const Resource* added = add();
      lock_.lock();
      return added;
    }

   private:
    Catalogue& catalogue_;
    std::shared_lock<std::shared_mutex> lock_;
  };

 private:
  using Key = std::tuple<Type, std::string, std::string>;  // type, name, version
  using KeyView = std::tuple<Type, std::string_view, std::string_view>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const;
    std::size_t operator()(const Key& key) const {
      return operator()(KeyView{std::get<0>(key), std::get<1>(key), std::get<2>(key)});
    }
  };

  KeptTexts<const Resource*> versions_;
  KeptTexts<NameId> subscribed_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, NameId> ids_;
  std::vector<const std::string*> names_;
  std::unordered_map<Key, std::unique_ptr<Resource>, Hash, std::equal_to<>> resources_;
};

}  // namespace mp::fleet
