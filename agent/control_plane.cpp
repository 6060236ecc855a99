#include "agent/control_plane.hpp"

#include "agent/json_path.hpp"
#include "base/curl.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace json = boost::json;

namespace mp::agent {
namespace {

constexpr std::chrono::seconds longest_retry_after{3600};
constexpr std::size_t longest_text = 600;

// "402 FEATURE_NOT_AVAILABLE: the message (field: issue), request req_…" from the error envelope.
std::string refusal(const HttpReply& reply) {
  if (reply.status == 0) return reply.failure;
  const json::value body = parsed(reply.body);
  std::string text = std::to_string(reply.status);
  if (const auto code = text_at(body, {"error", "code"}); !code.empty()) text += " " + code;
  if (const auto message = text_at(body, {"error", "message"}); !message.empty())
    text += ": " + message;
  const auto issue = text_at(body, {"error", "details", "issue"});
  if (!issue.empty())
    text += " (" + text_at(body, {"error", "details", "field"}) + ": " + issue + ")";
  if (const auto id = text_at(body, {"request_id"}); !id.empty()) text += ", request " + id;
  return text.substr(0, longest_text);
}

bool only_an_operator_helps(long status) {
  return status >= 400 && status < 500 && status != 408 && status != 429;
}

Registration registration_of(const HttpReply& reply) {
  const json::value body = parsed(reply.body);
  Registration registration{.proxy_id = text_at(body, {"data", "proxy_id"})};
  if (registration.proxy_id.empty()) {
    throw RequestFailed("the answer to the registration has no proxy_id; is this the manager?",
                        reply);
  }
  registration.cluster_id = integer_at(body, {"data", "cluster_id"}, 0);
  const auto interval = integer_at(body, {"data", "heartbeat_interval"}, 30);
  registration.heartbeat_interval =
      std::chrono::seconds(std::clamp<std::int64_t>(interval, 1, 3600));
  return registration;
}

}  // namespace

std::chrono::milliseconds retry_delay(const RequestFailed& failed, Backoff& backoff, double share) {
  using std::chrono::milliseconds;
  const auto jitter = [share](milliseconds most) {
    return milliseconds(static_cast<std::int64_t>(static_cast<double>(most.count()) * share));
  };
  if (failed.retry_after) {
    return std::min(*failed.retry_after, longest_retry_after) + jitter(milliseconds(1000));
  }
  if (only_an_operator_helps(failed.status))
    return milliseconds(15'000) + jitter(milliseconds(15'000));
  return backoff.next(share);
}

ControlPlane::ControlPlane(const Settings& settings, std::string secret_file, Wake& wake)
    : settings_(settings),
      secret_file_(std::move(secret_file)),
      client_(wake, {.ca_file = settings.ca_file}) {}

HttpReply ControlPlane::call(HttpRequest request, const Secret& key) {
  request.url = settings_.manager + "/api/v1/proxy/" + request.url;
  request.headers = {"X-Cluster-API-Key: " + key.reveal(), "Accept: application/json"};
  if (!request.body.empty()) request.headers.push_back("Content-Type: application/json");
  HttpReply reply = client_.send(request);
  if (!reply.ok()) throw RequestFailed(refusal(reply), reply);
  return reply;
}

Registration ControlPlane::register_proxy(const Secret& key) {
  json::object body{{"hostname", settings_.hostname},
                    {"version", version},
                    {"capabilities", json::array()},
                    {"proxy_type", settings_.type},
                    {"listen_address", settings_.listen_address}};
  if (!settings_.name.empty()) body["name"] = settings_.name;
  return registration_of(
      call({.method = "POST", .url = "register", .body = json::serialize(body)}, key));
}

std::string ControlPlane::bootstrap(const Secret& key, const std::string& proxy_id) {
  std::string query = "bootstrap?proxy_id=" + curl::url_encoded(proxy_id) +
                      "&format=json&admin_port=" + std::to_string(settings_.admin_port);
  const auto add = [&query](std::string_view name, const std::string& file) {
    if (!file.empty()) query.append("&").append(name).append("=").append(curl::url_encoded(file));
  };
  add("ca_file", settings_.xds_ca_file);
  add("secret_file", secret_file_);
  return call({.url = query}, key).body;
}

void ControlPlane::heartbeat(const Secret& key, const json::object& body) {
  call({.method = "POST", .url = "heartbeat", .body = json::serialize(body)}, key);
}

}  // namespace mp::agent
