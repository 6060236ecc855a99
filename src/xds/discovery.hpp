// The messages of the xDS protocol as plain values: what xds/wire reads and writes and xds/stream
// thinks about. One request form serves both variants; the field comments say which uses what.
#pragma once

#include "base/secret.hpp"
#include "xds/shared_list.hpp"
#include "xds/snapshot.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// Breaking one of these ends the stream with INVALID_ARGUMENT.
inline constexpr std::size_t max_names = 100'000;  // subscribed to, of one type on one stream
inline constexpr std::size_t max_name_length = 512;

struct Node {
  std::string id;
  std::string cluster;
  std::string proxy_type;
  std::string listen_address;
  std::string version;
  std::string user_agent;  // "envoy", "gRPC C-core linux"
  Secret cluster_key;      // from clients that cannot send it as metadata of the call
};

struct KnownVersion {
  std::string name;
  std::string version;
};

// What a client says that it holds. In one text, for there may be thousands of names on each of
// thousands of streams.
class KnownVersions {
 public:
  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    KnownVersion operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_;
  };

  KnownVersions() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a list stands where they are wanted
  KnownVersions(const std::vector<KnownVersion>& all) {
    for (const KnownVersion& each : all) push_back(each);
  }

  void push_back(const KnownVersion& known) { add(known.name, known.version); }
  void add(std::string_view name, std::string_view version);
  void reserve(std::size_t bytes) { text_.reserve(bytes); }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  const Census& census() const { return census_; }
  Iterator begin() const { return Iterator(text_.data()); }
  Iterator end() const { return Iterator(text_.data() + text_.size()); }

 private:
  std::string text_;  // of each: two lengths, name, version
  std::size_t count_ = 0;
  Census census_;
};

struct Request {
  std::optional<Node> node;
  std::string type_url;
  std::vector<std::string> subscribe;    // state-of-the-world: every name that is wanted
  std::vector<std::string> unsubscribe;  // delta
  KnownVersions initial_versions;        // delta
  std::string version;                   // state-of-the-world: version_info
  std::string nonce;                     // of the response that is answered, or empty
  std::optional<std::string> error;      // error_detail.message: set when it was refused
};

struct Response {
  Type type = Type::Cluster;
  std::string version;  // delta: for debugging only
  std::string nonce;
  SharedList<ResourcePtr> resources;
  std::vector<std::string> removed;  // delta
};

}  // namespace mp::xds
