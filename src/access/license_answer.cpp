#include "access/license_answer.hpp"

#include "access/entitlement.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp {
namespace {

constexpr std::size_t most_words = 200;  // of the server's own
constexpr std::size_t most_id = 128;

// What the answer lacks or has wrong.
struct Malformed {
  std::string what;
};

const json::value& member(const json::object& answer, std::string_view name) {
  const auto* found = answer.if_contains(name);
  if (!found) throw Malformed{"has no " + std::string(name)};
  return *found;
}

std::string text_at(const json::object& answer, std::string_view name) {
  const auto* text = member(answer, name).if_string();
  if (!text) throw Malformed{std::string(name) + " is no text"};
  return std::string(*text);
}

// A time or null.
std::optional<Time> time_at(const json::object& answer, std::string_view name) {
  if (member(answer, name).is_null()) return std::nullopt;
  const auto time = parse_time(text_at(answer, name));
  if (!time) throw Malformed{std::string(name) + " is no time"};
  return time;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) {
    return static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7f;
  });
}

// Printable and short: it goes into answers and the log.
std::string words(const json::object& answer) {
  const auto* found = answer.if_contains("message");
  const auto* text = found ? found->if_string() : nullptr;
  return text && text->size() <= most_words && is_plain(*text) ? std::string(*text) : std::string();
}

LicenseTier tier_at(const json::object& answer) {
  const std::string text = text_at(answer, "tier");
  const auto& names = names_of<LicenseTier>;
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) throw Malformed{"tier is none that is known"};
  return static_cast<LicenseTier>(found - names.begin());
}

// Features that this version does not know are left out.
LicenseFeatures features_at(const json::object& answer) {
  const auto* list = member(answer, "features").if_array();
  if (!list) throw Malformed{"features is no list"};
  LicenseFeatures features;
  for (const json::value& each : *list) {
    const auto* feature = each.if_object();
    const auto* entitled = feature ? feature->if_contains("entitled") : nullptr;
    if (!entitled || !entitled->is_bool()) throw Malformed{"features has an item without entitled"};
    const std::string name = text_at(*feature, "name");
    if (entitled->as_bool()) set_feature(features, name);
  }
  return features;
}

// -1 and a limit that is not there: the feature alone decides.
std::int64_t limit_at(const json::object& answer, std::string_view name) {
  const auto* found = answer.if_contains("limits");
  if (!found || found->is_null()) return unlimited;
  const auto* limits = found->if_object();
  if (!limits) throw Malformed{"limits is no object"};
  const auto* limit = limits->if_contains(name);
  if (!limit || limit->is_null()) return unlimited;
  const auto* number = limit->if_int64();
  if (!number || *number < unlimited) throw Malformed{std::string(name) + " is no limit"};
  return *number;
}

// A number in the licence holds, but never below Community's; without one the feature opens any.
std::int64_t allowed(std::int64_t limit, bool feature, std::int64_t community) {
  if (limit != unlimited) return std::max(limit, community);
  return feature ? unlimited : community;
}

std::string server_id_at(const json::object& answer) {
  const auto* metadata = answer.if_contains("metadata");
  const auto* object = metadata ? metadata->if_object() : nullptr;
  const auto* id = object ? object->if_contains("server_id") : nullptr;
  const auto* text = id ? id->if_string() : nullptr;
  return text && text->size() <= most_id && is_plain(*text) ? std::string(*text) : std::string();
}

void read_grant(LicenseAnswer& result, const json::object& answer) {
  result.tier = tier_at(answer);
  result.expires_at = time_at(answer, "expires_at");
  result.server_id = server_id_at(answer);
  const LicenseFeatures features = features_at(answer);
  const std::int64_t servers = limit_at(answer, "max_servers");
  const std::int64_t clusters = limit_at(answer, "max_clusters");
  if (result.tier == LicenseTier::Community) return;  // opens nothing beyond Community
  result.features = features;
  result.max_proxies = allowed(servers, features.unlimited_proxies, community_proxies);
  result.max_clusters =
      features.multi_cluster ? allowed(clusters, true, community_clusters) : community_clusters;
}

LicenseAnswer refused(std::string message) {
  return {.verdict = LicenseVerdict::Refused, .message = std::move(message)};
}

// A server may leave it out or mask it; a whole one is ours.
bool is_another_key(const json::object& answer, const Secret& key) {
  const auto* found = answer.if_contains("license_key");
  const auto* text = found ? found->if_string() : nullptr;
  std::string echoed = text ? std::string(*text) : "";
  return find_format("license_key").check(echoed) && !same_secret(echoed, key.reveal());
}

LicenseAnswer read_success(const json::object& answer, const Secret& key, Time now) {
  const auto* valid = member(answer, "valid").if_bool();
  if (!valid) throw Malformed{"valid is neither true nor false"};
  std::string message = words(answer);
  if (!*valid) return refused(message.empty() ? "The license is not valid" : message);
  if (text_at(answer, "product") != licensed_product)
    return refused("The license is for another product");
  if (is_another_key(answer, key)) throw Malformed{"license_key is another one"};
  LicenseAnswer result{.verdict = LicenseVerdict::Granted};
  read_grant(result, answer);
  if (result.expires_at && *result.expires_at <= now) {
    LicenseAnswer over = refused("The license expired at " + to_string(*result.expires_at));
    over.tier = result.tier;
    over.expires_at = result.expires_at;
    return over;
  }
  result.message = message.empty() ? "The license is valid" : message;
  return result;
}

std::string usual_words(int status) {
  if (status == 404) return "The license server does not know the key, or it has expired";
  if (status == 403) return "The license does not contain this product";
  return "The license server calls the key malformed";
}

json::value parsed(const std::string& body) {
  json::error_code broken;
  json::value value = json::parse(body, broken);
  return broken ? json::value() : value;
}

LicenseAnswer judge(const FetchReply& reply, const Secret& key, Time now) {
  if (!reply.failure.empty()) return {.message = reply.failure};
  const json::value body = parsed(reply.body);
  const auto* object = body.if_object();
  if (reply.status == 404 || reply.status == 403 || reply.status == 400) {
    const std::string own = object ? words(*object) : "";
    return refused(own.empty() ? usual_words(reply.status) : own);
  }
  if (reply.status != 200) return {.message = "status " + std::to_string(reply.status)};
  if (!object) return {.message = "the answer is no JSON object"};
  try {
    return read_success(*object, key, now);
  } catch (const Malformed& malformed) {
    return {.message = "the answer " + malformed.what};
  }
}

}  // namespace

LicenseAnswer read_license_answer(const FetchReply& reply, const Secret& key, Time now) {
  LicenseAnswer answer = judge(reply, key, now);
  // A server that says the key in its words does not get it into logs and answers.
  const std::string& text = key.reveal();
  for (auto at = answer.message.find(text); !text.empty() && at != std::string::npos;
       at = answer.message.find(text, at)) {
    answer.message.replace(at, text.size(), "****");
  }
  return answer;
}

std::string mask_license_key(const Secret& key) {
  constexpr std::size_t shown = 4;
  const std::string& text = key.reveal();
  if (text.size() <= shown) return "****";
  return "PENG-****-****-****-****-" + text.substr(text.size() - shown);
}

}  // namespace mp
