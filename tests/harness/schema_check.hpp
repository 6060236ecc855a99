// Holds JSON to the schemas of our OpenAPI document, strictly: a keyword that it does not
// understand is a problem too, so that nothing goes unchecked. Used by Judge; it never reads
// anything but its arguments.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace mp::test {

class SchemaCheck {
 public:
  // `document` is the whole OpenAPI document that `$ref` points into; it must outlive this.
  explicit SchemaCheck(const boost::json::value& document);

  // What is wrong with `value`, each with its path; empty when it fits.
  std::vector<std::string> problems(const boost::json::value& value,
                                    const boost::json::value& schema) const;
  // The schema behind `$ref`, or the schema itself; nullptr for a reference to nothing.
  const boost::json::value* resolve(const boost::json::value& schema) const;

 private:
  struct Place;
  void collect_patterns(const boost::json::value& node);
  void check(const Place& place, std::vector<std::string>& found) const;
  void check_kind(const Place& place, std::vector<std::string>& found) const;
  void check_text(const Place& place, std::vector<std::string>& found) const;
  void check_number(const Place& place, std::vector<std::string>& found) const;
  void check_list(const Place& place, std::vector<std::string>& found) const;
  void check_object(const Place& place, std::vector<std::string>& found) const;
  void check_one_of(const Place& place, std::vector<std::string>& found) const;

  const boost::json::value& document_;
  std::map<std::string, std::wregex, std::less<>> patterns_;
};

}  // namespace mp::test
