// Judges every answer of every test against the OpenAPI document: the operation lists its status,
// the body fits the schema declared for it, no header is there that it does not declare, and those
// that it promises are.
#pragma once

#include "http/message.hpp"
#include "schema_check.hpp"

#include <string>
#include <vector>

namespace mp::test {

class Judge {
 public:
  Judge();

  // What is wrong with the answer; empty when it is as declared.
  std::vector<std::string> problems(const http::Request& request,
                                    const http::Response& response) const;
  const boost::json::value& document() const { return document_; }
  const SchemaCheck& schemas() const { return schemas_; }

 private:
  const boost::json::object* operation(const http::Request& request) const;
  void check_body(const boost::json::object& operation, const http::Request& request,
                  const http::Response& response, std::vector<std::string>& found) const;
  void check_headers(const boost::json::object& answer, const http::Response& response,
                     std::vector<std::string>& found) const;

  const boost::json::value document_;
  SchemaCheck schemas_;
};

// One for the whole program; it does not change.
const Judge& the_judge();

}  // namespace mp::test
