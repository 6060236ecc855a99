#include "fleet/messages.hpp"

#include <envoy/service/discovery/v3/discovery.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace mp::fleet {
namespace {

namespace discovery = envoy::service::discovery::v3;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Field numbers of discovery.proto.
constexpr int version_field = 1;
constexpr int resources_field = 2;
constexpr int type_url_field = 4;
constexpr int nonce_field = 5;
constexpr int removed_field = 6;
constexpr int resource_version_field = 1;
constexpr int resource_body_field = 2;
constexpr int resource_name_field = 3;

void add_node(envoy::config::core::v3::Node& node, const Identity& identity) {
  node.set_id(identity.node);
  node.set_cluster(identity.cluster);
  node.set_user_agent_name("marchproxy-fleet");
  (*node.mutable_metadata()->mutable_fields())["proxy_type"].set_string_value(identity.proxy_type);
}

template <class Proto>
std::string finished(Proto& proto, const Request& request, const Identity* identity) {
  if (identity) add_node(*proto.mutable_node(), *identity);
  proto.set_type_url(std::string(type_url(request.type)));
  proto.set_response_nonce(request.nonce);
  return proto.SerializeAsString();
}

// The fields of initial_resource_versions, which a message may have anywhere.
std::string versions_text(const std::vector<const Resource*>& held, const Catalogue& catalogue) {
  discovery::DeltaDiscoveryRequest proto;
  for (const Resource* each : held)
    (*proto.mutable_initial_resource_versions())[catalogue.name_of(each->name)] = each->version;
  return proto.SerializeAsString();
}

std::string names_text(const std::vector<NameId>& names, const Catalogue& catalogue) {
  discovery::DeltaDiscoveryRequest proto;
  for (const NameId name : names) proto.add_resource_names_subscribe(catalogue.name_of(name));
  return proto.SerializeAsString();
}

Bytes delta_bytes(const Request& request, const Identity* identity, Catalogue& catalogue) {
  discovery::DeltaDiscoveryRequest proto;
  for (const NameId name : request.unsubscribe)
    proto.add_resource_names_unsubscribe(catalogue.name_of(name));
  Bytes bytes{.own = finished(proto, request, identity), .shared = {}};
  const auto& names = request.subscribe;
  const auto& held = request.held;
  if (!names.empty())
    bytes.shared.push_back(
        catalogue.names().of(names, [&] { return names_text(names, catalogue); }));
  if (!held.empty())
    bytes.shared.push_back(
        catalogue.versions().of(held, [&] { return versions_text(held, catalogue); }));
  return bytes;
}

std::string full_bytes(const Request& request, const Identity* identity,
                       const Catalogue& catalogue) {
  discovery::DiscoveryRequest proto;
  proto.set_version_info(request.version);
  for (const NameId name : request.subscribe) proto.add_resource_names(catalogue.name_of(name));
  return finished(proto, request, identity);
}

// One field after another of a message: a number, and its bytes through `text`.
class Fields {
 public:
  explicit Fields(CodedInputStream& input) : input_(input) {}

  // The number of the next length-delimited field, its length in `length`; 0 at the end; others are
  // skipped. What is not read of a field must be skipped by the caller.
  int next(std::uint32_t& length) {
    for (;;) {
      const std::uint32_t tag = input_.ReadTag();
      if (tag == 0) return 0;
      if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
        if (!input_.ReadVarint32(&length)) return 0;
        return WireFormatLite::GetTagFieldNumber(tag);
      }
      if (!WireFormatLite::SkipField(&input_, tag)) return 0;
    }
  }

  // Until the next call; copied only where the bytes lie in two pieces.
  std::string_view text(std::uint32_t length) {
    const void* data = nullptr;
    int size = 0;
    const auto wanted = static_cast<int>(length);
    if (input_.GetDirectBufferPointer(&data, &size) && size >= wanted) {
      input_.Skip(wanted);
      return {static_cast<const char*>(data), length};
    }
    input_.ReadString(&joined_, wanted);
    return joined_;
  }

  void skip(std::uint32_t length) { input_.Skip(static_cast<int>(length)); }

 private:
  CodedInputStream& input_;
  std::string joined_;
};

// What stands in a response before its type is known.
struct Raw {
  std::string_view version;
  std::string_view body;
  std::string_view name;
};

Raw read_wrapped(std::string_view bytes) {
  CodedInputStream input{reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         static_cast<int>(bytes.size())};
  Fields fields{input};
  Raw raw;
  std::uint32_t length = 0;
  for (int field = fields.next(length); field != 0; field = fields.next(length)) {
    switch (field) {
      case resource_version_field: raw.version = fields.text(length); break;
      case resource_body_field: raw.body = fields.text(length); break;
      case resource_name_field: raw.name = fields.text(length); break;
      default: fields.skip(length);
    }
  }
  return raw;
}

std::optional<Type> type_of_body(std::string_view body) {
  CodedInputStream input{reinterpret_cast<const std::uint8_t*>(body.data()),
                         static_cast<int>(body.size())};
  Fields fields{input};
  std::uint32_t length = 0;
  return fields.next(length) == 1 ? find_type(fields.text(length)) : std::nullopt;
}

// A resource of the state-of-the-world variant has neither name nor version of its own: it is known
// by its bytes.
const Resource* known(Variant variant, Raw raw, Catalogue& catalogue, Catalogue::Look& look) {
  const auto type = type_of_body(raw.body);
  if (!type) return nullptr;
  std::string mark;
  if (variant == Variant::StateOfTheWorld)
    raw.version = mark = std::to_string(std::hash<std::string_view>{}(raw.body));
  const Resource* found = look.find(*type, raw.name, raw.version);
  return found ? found
               : look.add([&] { return catalogue.add(*type, raw.name, raw.version, raw.body); });
}

}  // namespace

Bytes to_bytes(Variant variant, const Request& request, const Identity* identity,
               Catalogue& catalogue) {
  if (variant == Variant::Delta) return delta_bytes(request, identity, catalogue);
  return {.own = full_bytes(request, identity, catalogue), .shared = {}};
}

bool read(Variant variant, google::protobuf::io::ZeroCopyInputStream& stream, Catalogue& catalogue,
          Response& response) {
  CodedInputStream input{&stream};
  Fields fields{input};
  std::string url;
  std::vector<std::string> removed;
  std::optional<Catalogue::Look> look{catalogue};
  std::uint32_t length = 0;
  for (int field = fields.next(length); field != 0; field = fields.next(length)) {
    if (field == resources_field) {
      const std::string_view bytes = fields.text(length);
      const Raw raw = variant == Variant::Delta ? read_wrapped(bytes) : Raw{.body = bytes};
      if (const Resource* resource = known(variant, raw, catalogue, *look))
        response.resources.push_back(resource);
    } else if (field == version_field) {
      response.version = fields.text(length);
    } else if (field == type_url_field) {
      url = std::string(fields.text(length));
    } else if (field == nonce_field) {
      response.nonce = fields.text(length);
    } else if (field == removed_field && variant == Variant::Delta) {
      removed.emplace_back(fields.text(length));
    } else {
      fields.skip(length);
    }
  }
  look.reset();
  for (const auto& name : removed) response.removed.push_back(catalogue.id_of(name));
  const auto type = find_type(url);
  if (type) response.type = *type;
  return type.has_value();
}

}  // namespace mp::fleet
