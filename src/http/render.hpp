// Writes a Response as the bytes of an HTTP/1.1 answer. Used by connection.cpp. It does no I/O.
#pragma once

#include "http/message.hpp"

#include <string>
#include <string_view>

namespace mp::http {

// What the connection, not the Handler, decides about an answer.
struct Framing {
  bool keep_alive = true;
  bool old_version =
      false;  // the client speaks HTTP/1.0 and must be told that the connection stays
  bool without_body = false;  // HEAD: the header of the whole, no body
  std::string_view date;      // RFC 9110 5.6.7
};

// No field can end its line and begin another one (RFC 9110 5.5), and the status is a final one.
bool well_formed(const Response& response);

// Appends the whole answer. Of a Response's fields, those that frame the message are left out:
// Connection, Content-Length, Date and Transfer-Encoding are the server's.
void render(std::string& out, const Response& response, const Framing& framing);

}  // namespace mp::http
