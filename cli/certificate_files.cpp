#include "cli/certificate_files.hpp"

#include "base/secret.hpp"
#include "cli/failure.hpp"
#include "cli/files.hpp"
#include "cli/look.hpp"

#include <sodium.h>
#include <boost/json.hpp>

#include <filesystem>

namespace mp::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view certificate_part = "cert_file";

// Parts of the upload that are no fields of the noun.
bool is_file(const Resource& resource, std::string_view name) {
  const Description* upload = resource.particulars.upload;
  return upload && find_field(*upload, name) && !find_field(*resource.noun, name);
}

std::string read_file(const std::string& name, const std::string& folder,
                      const std::string& place) {
  const std::filesystem::path path(name);
  try {
    return text_of_file(path.is_absolute() ? name
                                           : (std::filesystem::path(folder) / path).string());
  } catch (const Failure& failure) {
    throw wrong_usage(place + ": " + failure.what());
  }
}

}  // namespace

json::object take_files(const Resource& resource, json::object& body, const std::string& folder,
                        const std::string& place) {
  json::object files;
  const json::object all = body;
  for (const auto& member : all) {
    if (!is_file(resource, member.key())) continue;
    const std::string part(member.key());
    const auto* name = member.value().if_string();
    if (!name || name->empty() || *name == "-")
      throw wrong_usage(place + ": " + part + ": must be the name of a file");
    files[part] = read_file(std::string(*name), folder, place + ": " + part);
    body.erase(part);
  }
  if (files.contains(certificate_part) && !fingerprint_of(files))
    throw wrong_usage(place + ": cert_file: holds no certificate in PEM form");
  return files;
}

std::string missing_file(const Resource& resource, const json::object& files) {
  const Description* upload = resource.particulars.upload;
  if (!upload) return {};
  for (const Field& field : upload->fields) {
    if (is_file(resource, field.name) && required(*upload, field) && !files.contains(field.name))
      return std::string(field.name) + ": Is required, the name of a file";
  }
  return {};
}

std::optional<std::string> fingerprint_of(const json::object& files) {
  const auto* file = files.if_contains(certificate_part);
  if (!file) return std::nullopt;
  const std::string_view pem = file->get_string();
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----",
                             end = "-----END CERTIFICATE-----";
  const auto from = pem.find(begin);
  const auto to = from == std::string_view::npos ? from : pem.find(end, from);
  if (to == std::string_view::npos) return std::nullopt;
  const std::string_view text = pem.substr(from + begin.size());
  std::string der(pem.size(), '\0');
  std::size_t size = 0;
  const int failed = sodium_base642bin(reinterpret_cast<unsigned char*>(der.data()), der.size(),
                                       text.data(), to - from - begin.size(), " \t\r\n", &size,
                                       nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || size == 0) return std::nullopt;
  der.resize(size);
  return sha256_hex(der);
}

bool brings_another(const json::object& files, const json::object& current) {
  if (!files.contains(certificate_part)) return !files.empty();
  if (fingerprint_of(files) == text_at(current, "fingerprint_sha256")) return false;
  return text_at(current, "source_type") != "acme";
}

}  // namespace mp::cli
