// The resources that a control plane has sent to any of the simulated proxies, each kept once with
// what it refers to: thousands of proxies hold the same ones, so a proxy keeps pointers. Safe from
// any thread. Used by messages.cpp and proxy.cpp.
#pragma once

#include "xds/type.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
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

class Catalogue {
 public:
  NameId id_of(std::string_view name);
  std::string name_of(NameId id) const;

  // What was seen under that name and version, or nullptr.
  const Resource* find(Type type, std::string_view name, std::string_view version) const;
  // Keeps what `any`, a serialised google.protobuf.Any, holds. A resource of the state-of-the-world
  // variant has neither name nor version of its own: it is found by its bytes.
  const Resource* add(Type type, std::string_view name, std::string_view version,
                      std::string_view any);
  const Resource* add_unnamed(Type type, std::string_view any);

  // What `make` writes about these resources, kept for the next who holds the same ones: when all
  // come back at once, all say the same.
  using Text = std::shared_ptr<const std::string>;
  template <class Make>
  Text text_of(const std::vector<const Resource*>& held, Make make) {
    const std::lock_guard lock{texts_mutex_};
    for (const auto& [resources, text] : texts_) {
      if (resources == held) return text;
    }
    if (texts_.size() == kept_texts) texts_.pop_back();
    texts_.emplace_front(held, std::make_shared<const std::string>(make()));
    return texts_.front().second;
  }

 private:
  static constexpr std::size_t kept_texts = 16;

  std::mutex texts_mutex_;
  std::deque<std::pair<std::vector<const Resource*>, Text>> texts_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, NameId> ids_;
  std::vector<const std::string*> names_;
  std::unordered_map<std::string, std::unique_ptr<Resource>> resources_;
};

}  // namespace mp::fleet
