// A multipart/form-data body (RFC 7578, RFC 2046 §5.1) taken apart, strictly: nothing before the
// first boundary or after the last one, CRLF where the standard wants it, every size bounded. Pure:
// the parts are views into the body. Used by api/upload.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mp::api {

struct Part {
  std::string name;
  bool is_file = false;  // it has a file name, which nobody needs
  std::string_view content;
};

// Whether a Content-Type says multipart/form-data, with or without a boundary.
bool is_form_data(std::string_view content_type);

// The body without the boundary, which clients make up anew each time. Throws as parse_multipart.
std::string without_boundary(std::string_view content_type, std::string_view body);

// In the order they came; a name may come twice. Throws Validation: of `Content-Type` for a missing
// or impossible boundary, of `body` or of the part's name for everything else.
std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace mp::api
