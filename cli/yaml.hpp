// YAML as people write it, to JSON and back. Reading is bounded (depth, size of what aliases make)
// and refuses keys that come twice.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace mp::cli {

// A document of a file and where it begins.
struct Document {
  boost::json::value value;
  std::string place;        // "shop.yaml, line 12"
  std::string folder = {};  // that its names of files are from; set by who reads files
};

// All documents, empty ones left out. JSON is read exactly. Throws Failure (Usage) naming the line.
std::vector<Document> read_documents(const std::string& text, const std::string& name);

// One document, ending with a line end; texts are quoted where YAML would read something else.
std::string yaml_text(const boost::json::value& value);

}  // namespace mp::cli
