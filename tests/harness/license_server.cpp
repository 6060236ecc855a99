#include "license_server.hpp"

#include <boost/json.hpp>

namespace mp::test {

namespace json = boost::json;

namespace {

constexpr std::string_view bearer = "Authorization: Bearer ";

std::string key_of(const FetchRequest& request) {
  for (const std::string& header : request.headers) {
    if (header.starts_with(bearer)) return header.substr(bearer.size());
  }
  return {};
}

json::object entitlement(std::string_view name, LicenseTier tier) {
  const bool entitled = tier == LicenseTier::Enterprise || name == "wildcard_certificates" ||
                        name == "oauth2_authentication";
  return {{"name", name}, {"entitled", entitled}, {"units", 0}};
}

std::string grant(const std::string& key, const SoldLicense& sold) {
  json::array features;
  for (const Field& field : describe<LicenseFeatures>.fields)
    features.push_back(entitlement(field.name, sold.tier));
  features.push_back({{"name", "of_a_later_version"}, {"entitled", true}, {"units", 1}});
  return json::serialize(json::object{
      {"valid", true},
      {"message", "License is valid"},
      {"customer", "Example Ltd"},
      {"product", "marchproxy"},
      {"license_key", key},
      {"expires_at", to_string(sold.expires_at)},
      {"issued_at", "2025-01-01T00:00:00Z"},
      {"tier", names_of<LicenseTier>[static_cast<std::size_t>(sold.tier)]},
      {"features", features},
      {"limits", json::object{{"max_servers", sold.proxies}, {"max_clusters", sold.clusters}}},
      {"metadata", json::object{{"server_id", "srv-1"}}}});
}

}  // namespace

std::string LicenseServer::sell(const SoldLicense& sold) {
  const std::lock_guard lock(mutex_);
  const std::string key =
      "PENG-0000-0000-0000-0000-000" + std::to_string(static_cast<int>(sold.tier));
  sold_[key] = sold;
  return key;
}

void LicenseServer::set(Mood mood) {
  const std::lock_guard lock(mutex_);
  mood_ = mood;
}

FetchReply LicenseServer::ask(const FetchRequest& request) {
  const std::lock_guard lock(mutex_);
  if (mood_ == Mood::Fails) return {.failure = "Connection refused"};
  if (request.method == "GET") return {.status = 405};  // somebody looks whether it is there
  if (mood_ == Mood::Babbles) return {.status = 200, .body = "<html>Welcome</html>"};
  const auto found = sold_.find(key_of(request));
  if (mood_ == Mood::Refuses || found == sold_.end())
    return {.status = 404, .body = R"({"valid": false, "message": "License not found"})"};
  if (request.url.ends_with("/api/v2/keepalive")) return {.status = 200, .body = "{}"};
  return {.status = 200, .body = grant(found->first, found->second)};
}

}  // namespace mp::test
