// Files that a document for apply names, such as those of a certificate: where they are, what they
// hold, and whether the server has that already. Keys go to the server alone, never into what is
// printed.
#pragma once

#include "cli/resource.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace mp::cli {

// Takes the members that name files out of `body`: the texts of the files, by part of the upload.
// Names are from `folder`. Throws Failure (Usage) naming `place`.
boost::json::object take_files(const Resource& resource, boost::json::object& body,
                               const std::string& folder, const std::string& place);

// The breaches of a document that makes a new object, or of one that brings files: "cert_file: Is
// required". Empty: none.
std::string missing_file(const Resource& resource, const boost::json::object& files);

// SHA-256 in hexadecimal of the first certificate in the files, in its DER form; nullopt without.
std::optional<std::string> fingerprint_of(const boost::json::object& files);

// Whether the files are to be sent for the object that the server has: they hold another
// certificate, and none that the server itself has renewed since.
bool brings_another(const boost::json::object& files, const boost::json::object& current);

}  // namespace mp::cli
