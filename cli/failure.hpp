// What ends a command before its work is done, with the exit code and the lines for standard error.
// Thrown anywhere in marchctl, shown by main.cpp alone.
#pragma once

#include "base/error.hpp"

#include <boost/json/object.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace mp::cli {

// Refused: the server said no, or a change is not live. Unreachable: no answer, or none that this
// program understands. Differs: a plan would change something, where the exit code is to tell.
enum class Exit { Fine = 0, Refused = 1, Usage = 2, Unreachable = 3, Differs = 4 };

struct Failure : std::runtime_error {
  Exit exit;
  std::vector<std::string> lines;  // after the first, which is what()

  Failure(Exit exit, const std::string& first, std::vector<std::string> more = {})
      : std::runtime_error(first), exit(exit), lines(std::move(more)) {}
};

// The server's own refusal.
struct Refused : Failure {
  int status;
  boost::json::object error;  // {code, message, details, violations}

  Refused(int status, boost::json::object error);
};

Failure wrong_usage(const std::string& text);
Failure wrong_usage(const std::string& text, const Violations& violations);

}  // namespace mp::cli
