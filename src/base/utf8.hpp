// Whether bytes are text: JSON and the database take nothing else (RFC 3629, RFC 8259 §8.1).
#pragma once

#include <string>
#include <string_view>

namespace mp {

// Well-formed UTF-8: no surrogates, nothing longer than it must be.
bool is_utf8(std::string_view text);

// A to Z made small; other characters stay.
std::string ascii_lower(std::string_view text);

// What somebody else said, fit for one line of a log, JSON and the database: control characters
// become spaces, bytes that are no UTF-8 question marks; at most `longest` bytes, cut between
// characters.
std::string one_line(std::string_view foreign, std::size_t longest = std::string_view::npos);

}  // namespace mp
