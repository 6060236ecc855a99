#include "xds/retell.hpp"

#include "xds/encode.hpp"

#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

namespace mp::xds {

ResourcePtr retell(const ResourcePtr& secret, Time now) {
  google::protobuf::Any any;
  envoy::extensions::transport_sockets::tls::v3::Secret told;
  if (!any.ParseFromString(secret->body) || !any.UnpackTo(&told)) return secret;
  auto& text = told.has_tls_certificate()
                   ? *told.mutable_tls_certificate()->mutable_certificate_chain()
                   : *told.mutable_validation_context()->mutable_trusted_ca();
  // Outside of its blocks PEM may say anything (RFC 7468 §2).
  text.set_inline_string("Told at " + std::to_string(to_milliseconds(now)) + "\n" +
                         text.inline_string());
  auto made = std::make_shared<Resource>(*secret);
  made->body = pack(told).SerializeAsString();
  return made;
}

}  // namespace mp::xds
