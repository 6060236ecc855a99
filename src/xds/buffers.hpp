// gRPC's buffers and names of peers as plain text. Used by the services of the xDS port.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <string>

namespace mp::xds {

std::string to_text(const grpc::ByteBuffer& buffer);

// "ipv4:203.0.113.5:4711" and "ipv6:%5B2001:db8::1%5D:4711" become the address alone.
std::string address_of(const std::string& peer);

}  // namespace mp::xds
