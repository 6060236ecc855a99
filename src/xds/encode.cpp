#include "xds/encode.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <sodium.h>

#include <array>

namespace mp::xds {
namespace {

// 64 bits of BLAKE2b (RFC 7693) in hex: enough to tell the versions of one resource apart.
std::string version_of(std::string_view body) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(body.data()),
                     body.size(), nullptr, 0);
  std::array<char, 17> text{};
  sodium_bin2hex(text.data(), text.size(), hash.data(), 8);
  return text.data();
}

}  // namespace

std::string deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  google::protobuf::io::StringOutputStream target(&bytes);
  google::protobuf::io::CodedOutputStream stream(&target);
  stream.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&stream);
  stream.Trim();
  return bytes;
}

google::protobuf::Any pack(const google::protobuf::Message& message) {
  return pack("type.googleapis.com/" + message.GetDescriptor()->full_name(),
              deterministic(message));
}

google::protobuf::Any pack(std::string_view type_url, std::string value) {
  google::protobuf::Any any;
  any.set_type_url(std::string(type_url));
  any.set_value(std::move(value));
  return any;
}

ResourcePtr make_resource(std::string name, const google::protobuf::Any& body,
                          std::vector<Object> origins) {
  Resource resource{.name = std::move(name),
                    .version = "",
                    .body = deterministic(body),
                    .origins = std::move(origins)};
  resource.version = version_of(resource.body);
  return std::make_shared<const Resource>(std::move(resource));
}

ResourcePtr keep_equal(const ResourcePtr& last, ResourcePtr next) {
  const bool equal = last && last->version == next->version && last->body == next->body &&
                     last->origins == next->origins;
  return equal ? last : next;
}

}  // namespace mp::xds
