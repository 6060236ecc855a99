// Compares an answer with what a conversation expects: placeholders, `…`, and names that are set by
// the first use and compared by the next. Used by the conversations only.
#pragma once

#include "base/time.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <string>
#include <vector>

namespace mp::test {

// $name → text
using Names = std::map<std::string, std::string, std::less<>>;

// Text of a request: $name and ${name} filled in, {{3*ab}} written out as ababab. Throws
// std::runtime_error for a name that is not set.
std::string fill(const std::string& text, const Names& names);

class Match {
 public:
  Match(Names& names, Time now) : names_(names), now_(now) {}

  void compare(const boost::json::value& expected, const boost::json::value& actual,
               const std::string& path);
  void compare_text(const std::string& expected, const std::string& actual,
                    const std::string& path);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void compare_objects(const boost::json::object& expected, const boost::json::object& actual,
                       const std::string& path);
  void compare_lists(const boost::json::array& expected, const boost::json::array& actual,
                     const std::string& path);
  bool is_placeholder(const std::string& expected, const boost::json::value& actual,
                      const std::string& path);
  void expect(bool holds, const std::string& path, const std::string& what,
              const boost::json::value& actual);

  Names& names_;
  const Time now_;
  std::vector<std::string> problems_;
};

}  // namespace mp::test
