#include "cli/client.hpp"

#include "base/curl.hpp"
#include "base/utf8.hpp"
#include "cli/look.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace mp::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int most_tries = 4;
constexpr seconds renew_before{30};  // an access token's end
constexpr seconds answer_time{30};   // beside what the server is asked to wait

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() ? value : 0;
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

Failure not_ours(const std::string& server, int status) {
  return {Exit::Unreachable, server + " answered " + std::to_string(status) +
                                 ", and not as a MarchProxy manager does"};
}

std::string url_of(const std::string& server, const Request& request) {
  std::string url = server;
  if (request.path.starts_with('^'))
    url += request.path.substr(1);
  else
    url += "/api/v1" + request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += separator + curl::url_encoded(name) + "=" + curl::url_encoded(value);
    separator = '&';
  }
  return url;
}

// Whether the same request may be sent again although the first may have been carried out.
bool repeatable(const Request& request) {
  return request.method == "GET" || request.method == "POST" || request.method == "DELETE" ||
         request.if_match.empty();
}

Answer answer_of(const std::string& server, const Request& request, const HttpReply& reply) {
  const int status = static_cast<int>(reply.status);
  json::error_code failure;
  json::value body = json::parse(reply.body, failure);
  const auto* envelope = failure ? nullptr : body.if_object();
  if (status >= 400 && envelope && envelope->if_contains("error") &&
      envelope->at("error").is_object())
    throw Refused(status, envelope->at("error").get_object());
  Answer answer{.status = status,
                .etag = unquoted(reply.header("etag")),
                .revision = number(reply.header("x-config-revision")),
                .config_status = std::string(reply.header("x-config-status"))};
  if (request.expects == Expect::Text && status < 300) {
    answer.data = json::string(reply.body);
    return answer;
  }
  if (request.path.starts_with('^') && envelope) {
    answer.data = std::move(body);
    return answer;
  }
  const auto* data = envelope ? envelope->if_contains("data") : nullptr;
  if (status >= 300 || !data) throw not_ours(server, status);
  answer.data = *data;
  if (const auto* message = envelope->if_contains("message"); message && message->is_string())
    answer.message = std::string(message->get_string());
  return answer;
}

}  // namespace

Client::Client(Outside outside, Account account, seconds patience)
    : outside_(std::move(outside)), account_(std::move(account)), patience_(patience) {}

Answer Client::get(const std::string& path, QueryText query) {
  return call({.path = path, .query = std::move(query)});
}

Answer Client::call(Request request) {
  const HttpReply reply = send_patiently(request);
  return answer_of(account_.server, request, reply);
}

HttpRequest Client::exchange_of(const Request& request, const std::string& key) const {
  HttpRequest exchange{.method = request.method,
                       .url = url_of(account_.server, request),
                       .headers = {"Accept: application/json"},
                       .timeout = answer_time + seconds(request.wait)};
  if (!request.cluster_key.empty())
    exchange.headers.push_back("X-Cluster-API-Key: " + request.cluster_key.reveal());
  else if (!account_.access_token.empty())
    exchange.headers.push_back("Authorization: Bearer " + account_.access_token.reveal());
  if (request.body) {
    exchange.body = json::serialize(*request.body);
    exchange.headers.emplace_back("Content-Type: application/json");
  } else if (!request.form_type.empty()) {
    exchange.body = request.form;
    exchange.headers.push_back("Content-Type: " + request.form_type);
  }
  if (!key.empty()) exchange.headers.push_back("Idempotency-Key: " + key);
  if (!request.if_match.empty())
    exchange.headers.push_back("If-Match: \"" + request.if_match + "\"");
  if (request.wait > 0) exchange.headers.push_back("Prefer: wait=" + std::to_string(request.wait));
  return exchange;
}

// How long to wait before another try; nullopt when the reply is final. 429 and 503 say that
// nothing was done, and mostly how long to wait.
std::optional<milliseconds> Client::delay_after(const HttpReply& reply, const Request& request,
                                                int tries) const {
  if (tries >= most_tries && reply.status != 429) return std::nullopt;
  const milliseconds step = milliseconds(200) * (1 << std::min(tries, 4));
  const milliseconds asked = seconds(number(reply.header("retry-after")));
  if (reply.status == 429 || reply.status == 503) return std::max(step, asked);
  if (reply.status == 502 || reply.status == 504)
    return repeatable(request) ? std::optional(step) : std::nullopt;
  return std::nullopt;
}

HttpReply Client::send_patiently(const Request& request) {
  const std::string key =
      request.method == "POST" && !account_.access_token.empty() ? random_text(24) : "";
  const bool renewable = !account_.refresh_token.empty() && request.path != "/auth/refresh";
  if (renewable && account_.access_until &&
      *account_.access_until <= outside_.clock.now() + renew_before)
    renew();
  milliseconds waited{0};
  bool tried_renewal = !renewable;
  bool perhaps_done = false;
  for (int tries = 0;; ++tries) {
    HttpReply reply = outside_.transport.send(exchange_of(request, key));
    if (reply.status == 0)
      throw Failure(Exit::Unreachable,
                    "cannot reach " + account_.server + ": " + one_line(reply.failure));
    if (reply.status == 401 && !tried_renewal) {
      tried_renewal = true;
      renew();
      continue;
    }
    // What an earlier try, whose answer was lost, has deleted is deleted.
    if (reply.status == 404 && request.method == "DELETE" && perhaps_done) {
      reply.status = 200;
      reply.body = R"({"success":true,"data":null,"message":"Deleted"})";
    }
    const auto delay = delay_after(reply, request, tries);
    perhaps_done |= reply.status == 502 || reply.status == 504;
    if (!delay || waited + *delay > patience_) return reply;
    const auto whole = std::chrono::ceil<seconds>(*delay);
    outside_.note("the server answered " + std::to_string(reply.status) + ", trying again in " +
                  std::to_string(whole.count()) + " s");
    outside_.pause(*delay);
    waited += *delay;
  }
}

// The refresh token stays good: programs that renew at the same time do not disturb each other.
void Client::renew() {
  const Request request{.method = "POST",
                        .path = "/auth/refresh",
                        .body = json::object{{"refresh_token", account_.refresh_token.reveal()}}};
  Account without = account_;
  without.access_token = Secret();
  without.refresh_token = Secret();
  Answer answer;
  try {
    answer = Client(outside_, without, patience_).call(request);
  } catch (const Refused& refusal) {
    if (refusal.status != 401) throw;
    throw Failure(Exit::Refused, "the session has ended: sign in again with marchctl login");
  }
  account_.access_token = Secret(text_at(answer.data, "access_token"));
  if (account_.access_token.empty()) throw not_ours(account_.server, answer.status);
  account_.access_until = outside_.clock.now() + seconds(number_at(answer.data, "expires_in"));
  outside_.renewed(account_);
}

}  // namespace mp::cli
