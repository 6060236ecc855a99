#include "xds/wire.hpp"

#include "base/error.hpp"

#include <envoy/config/core/v3/base.pb.h>
#include <envoy/service/discovery/v3/discovery.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>

namespace mp::xds {
namespace {

namespace discovery = envoy::service::discovery::v3;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr std::size_t longest_text = 512;

// Field numbers of discovery.proto.
struct ResponseFields {
  std::uint32_t version = 1;
  std::uint32_t resources = 2;
  std::uint32_t type_url = 4;
  std::uint32_t nonce = 5;
  std::uint32_t removed = 6;
};
constexpr ResponseFields response_fields;
constexpr std::uint32_t resource_version = 1;
constexpr std::uint32_t resource_body = 2;
constexpr std::uint32_t resource_name = 3;

// The head of a length-delimited field; all numbers here are below 16, so that the tag is one byte.
void head(std::string& target, std::uint32_t field, std::size_t length) {
  std::array<std::uint8_t, 10> bytes{};
  auto* end = CodedOutputStream::WriteTagToArray(field << 3U | 2U, bytes.data());
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(length), end);
  target.append(bytes.begin(), bytes.begin() + (end - bytes.data()));
}

std::size_t size_of(std::size_t length) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<std::uint32_t>(length)) + length;
}

void text(std::string& target, std::uint32_t field, std::string_view value) {
  if (value.empty()) return;
  head(target, field, value.size());
  target += value;
}

std::size_t text_size(std::string_view value) { return value.empty() ? 0 : size_of(value.size()); }

void body(Message& message, const ResourcePtr& resource) {
  if (resource->body.size() < shared_from) {
    message.back().bytes += resource->body;
  } else {
    message.back().resource = resource;
    message.emplace_back();
  }
}

// In delta each body is wrapped: version 1, resource 2, name 3.
void wrapped(Message& message, const ResourcePtr& resource) {
  const std::size_t size =
      text_size(resource->version) + size_of(resource->body.size()) + text_size(resource->name);
  std::string& start = message.back().bytes;
  head(start, response_fields.resources, size);
  text(start, resource_version, resource->version);
  head(start, resource_body, resource->body.size());
  body(message, resource);
  text(message.back().bytes, resource_name, resource->name);
}

void add_resources(Message& message, Flavour flavour, const SharedList<ResourcePtr>& resources) {
  for (const auto& resource : resources) {
    if (flavour == Flavour::Delta) {
      wrapped(message, resource);
    } else {
      head(message.back().bytes, response_fields.resources, resource->body.size());
      body(message, resource);
    }
  }
}

std::string limited(std::string value) {
  if (value.size() > longest_text) value.resize(longest_text);
  return value;
}

std::string metadata(const envoy::config::core::v3::Node& node, const std::string& key) {
  const auto found = node.metadata().fields().find(key);
  if (found == node.metadata().fields().end()) return {};
  return limited(found->second.string_value());
}

std::string version_text(const envoy::config::core::v3::Node& node) {
  if (!node.has_user_agent_build_version()) return limited(node.user_agent_version());
  const auto& version = node.user_agent_build_version().version();
  return std::to_string(version.major_number()) + "." + std::to_string(version.minor_number()) +
         "." + std::to_string(version.patch());
}

Node read_node(const envoy::config::core::v3::Node& node) {
  return {.id = node.id(),
          .cluster = limited(node.cluster()),
          .proxy_type = metadata(node, "proxy_type"),
          .listen_address = metadata(node, "listen_address"),
          .version = version_text(node),
          .user_agent = limited(node.user_agent_name()),
          .cluster_key = Secret(metadata(node, "x-cluster-api-key"))};
}

template <typename Proto>
Proto parse(std::string_view bytes) {
  Proto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error{Code::Validation, "not a discovery request"};
  }
  return proto;
}

// What both variants have under the same names.
template <typename Proto>
Request read_common(const Proto& proto) {
  Request request;
  if (proto.has_node()) request.node = read_node(proto.node());
  request.type_url = proto.type_url();
  request.nonce = proto.response_nonce();
  if (proto.has_error_detail()) request.error = proto.error_detail().message();
  return request;
}

// Names and versions come by the thousand, from thousands of clients at once: the generated classes
// would make several objects of each. They are read one after another; the rest, which is small,
// goes through the generated class.
class DeltaReader {
 public:
  explicit DeltaReader(std::string_view bytes)
      : bytes_(bytes),
        input_(reinterpret_cast<const std::uint8_t*>(bytes.data()),
               static_cast<int>(bytes.size())) {}

  Request read() {
    using Proto = discovery::DeltaDiscoveryRequest;
    std::string rest;
    Request names;
    for (int start = 0; const std::uint32_t tag = input_.ReadTag();
         start = input_.CurrentPosition()) {
      if (tag == tag_of(Proto::kResourceNamesSubscribeFieldNumber)) {
        names.subscribe.emplace_back(text());
      } else if (tag == tag_of(Proto::kInitialResourceVersionsFieldNumber)) {
        add_version(names.initial_versions);
      } else {
        demand(WireFormatLite::SkipField(&input_, tag));
        rest += bytes_.substr(static_cast<std::size_t>(start),
                              static_cast<std::size_t>(input_.CurrentPosition() - start));
      }
    }
    demand(input_.ConsumedEntireMessage());
    const auto proto = parse<Proto>(rest);
    Request request = read_common(proto);
    request.subscribe = std::move(names.subscribe);
    request.unsubscribe = {proto.resource_names_unsubscribe().begin(),
                           proto.resource_names_unsubscribe().end()};
    request.initial_versions = std::move(names.initial_versions);
    return request;
  }

 private:
  static constexpr std::uint32_t tag_of(int field) {
    return static_cast<std::uint32_t>(field) << 3U | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
  }

  static void demand(bool sound) {
    if (!sound) throw Error{Code::Validation, "not a discovery request"};
  }

  std::string_view text() {
    std::uint32_t length = 0;
    demand(input_.ReadVarint32(&length));
    const auto start = static_cast<std::size_t>(input_.CurrentPosition());
    demand(length <= bytes_.size() - start && input_.Skip(static_cast<int>(length)));
    const std::string_view value = bytes_.substr(start, length);
    demand(WireFormatLite::VerifyUtf8String(value.data(), static_cast<int>(length),
                                            WireFormatLite::PARSE, "name"));
    return value;
  }

  // An entry of a map is a message of two fields.
  void add_version(KnownVersions& versions) {
    if (versions.empty()) versions.reserve(bytes_.size());
    std::uint32_t length = 0;
    demand(input_.ReadVarint32(&length) && length <= bytes_.size());
    const auto limit = input_.PushLimit(static_cast<int>(length));
    std::string_view name, version;
    while (const std::uint32_t tag = input_.ReadTag()) {
      if (tag == tag_of(1))
        name = text();
      else if (tag == tag_of(2))
        version = text();
      else
        demand(WireFormatLite::SkipField(&input_, tag));
    }
    demand(input_.ConsumedEntireMessage());
    input_.PopLimit(limit);
    versions.add(name, version);
  }

  std::string_view bytes_;
  CodedInputStream input_;
};

Request read_full(std::string_view bytes) {
  const auto proto = parse<discovery::DiscoveryRequest>(bytes);
  Request request = read_common(proto);
  request.subscribe = {proto.resource_names().begin(), proto.resource_names().end()};
  request.version = limited(proto.version_info());
  return request;
}

}  // namespace

Request parse_request(Flavour flavour, std::string_view bytes) {
  return flavour == Flavour::Delta ? DeltaReader(bytes).read() : read_full(bytes);
}

Message compose(Flavour flavour, const Response& response, Parcels& parcels) {
  Message message(1);
  text(message.back().bytes, response_fields.version, response.version);
  if (response.resources.size() >= parcelled_from) {
    message.back().parcel = parcels.of(response.resources, [&](const auto& resources) {
      Message part(1);
      add_resources(part, flavour, resources);
      return flatten(part);
    });
    message.emplace_back();
  } else {
    add_resources(message, flavour, response.resources);
  }
  std::string& end = message.back().bytes;
  text(end, response_fields.type_url, type_url(response.type));
  text(end, response_fields.nonce, response.nonce);
  if (flavour == Flavour::StateOfTheWorld) return message;
  for (const auto& name : response.removed) text(end, response_fields.removed, name);
  return message;
}

std::string flatten(const Message& message) {
  std::string all;
  for (const auto& chunk : message) {
    all += chunk.bytes;
    if (chunk.resource) all += chunk.resource->body;
    if (chunk.parcel) all += *chunk.parcel;
  }
  return all;
}

}  // namespace mp::xds
