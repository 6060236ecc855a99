#include "crypto/acme.hpp"

#include "base/utf8.hpp"

#include <openssl/evp.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace mp {
namespace {

namespace json = boost::json;

constexpr int most_bad_nonces = 8;       // in a row; a nonce may be refused for no fault of ours
constexpr std::size_t most_names = 100;  // of an order, as the best-known servers have it
constexpr std::size_t longest_problem = 500;
constexpr std::size_t longest_token = 256;
constexpr std::size_t longest_url = 2048;
constexpr std::chrono::seconds longest_pause{600};
constexpr std::string_view bad_nonce = "urn:ietf:params:acme:error:badNonce";

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

const json::array& list_of(const json::object& object, std::string_view name) {
  static const json::array none;
  const auto* value = object.if_contains(name);
  const auto* list = value ? value->if_array() : nullptr;
  return list ? *list : none;
}

json::object parse(const FetchReply& reply) {
  json::error_code broken;
  json::value value = json::parse(reply.body, broken);
  if (broken || !value.is_object()) throw AcmeError("the server's answer is no JSON object");
  return std::move(value.as_object());
}

// RFC 7807.
std::string problem_text(const json::object& problem) {
  std::string text = text_of(problem, "type");
  const std::string detail = text_of(problem, "detail");
  if (!detail.empty()) text.append(text.empty() ? "" : ": ").append(detail);
  for (const auto& each : list_of(problem, "subproblems")) {
    if (each.is_object()) text.append("; ").append(text_of(each.as_object(), "detail"));
  }
  return text;
}

std::string problem_of(const FetchReply& reply) {
  json::error_code broken;
  const json::value value = json::parse(reply.body, broken);
  std::string text = !broken && value.is_object() ? problem_text(value.as_object()) : "";
  return "status " + std::to_string(reply.status) + (text.empty() ? "" : ", " + text);
}

bool is_bad_nonce(const FetchReply& reply) {
  json::error_code broken;
  const json::value value = json::parse(reply.body, broken);
  return reply.status == 400 && !broken && value.is_object() &&
         text_of(value.as_object(), "type") == bad_nonce;
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= longest_token &&
         std::ranges::all_of(text, [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '-' || letter == '_';
         });
}

// As RFC 3986 has it, without anything that only escapes may say.
std::string url_of(std::string_view text, std::string_view what) {
  const bool good =
      text.starts_with("http") && text.size() <= longest_url &&
      std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter < 0x7f; });
  if (!good) throw AcmeError("the server's " + std::string(what) + " is no URL");
  return std::string(text);
}

AcmeOrderState state_of(const json::object& order) {
  const std::string status = text_of(order, "status");
  if (status == "pending") return AcmeOrderState::Pending;
  if (status == "ready") return AcmeOrderState::Ready;
  if (status == "processing") return AcmeOrderState::Processing;
  if (status == "valid") return AcmeOrderState::Valid;
  return AcmeOrderState::Invalid;
}

std::chrono::seconds pause_of(const FetchReply& reply) {
  const std::string_view text = reply.header("retry-after");
  int seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end != text.data() + text.size()) return AcmeOrder{}.retry_after;
  return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(1), longest_pause);
}

AcmeOrder order_of(const json::object& body, const FetchReply& reply, std::string_view url) {
  AcmeOrder order{.url = url_of(url, "order"),
                  .state = state_of(body),
                  .finalize = url_of(text_of(body, "finalize"), "finalize"),
                  .certificate = text_of(body, "certificate"),
                  .authorizations = {},
                  .problem = {},
                  .retry_after = pause_of(reply)};
  for (const auto& each : list_of(body, "authorizations")) {
    if (each.is_string()) order.authorizations.emplace_back(each.as_string());
  }
  const auto* error = body.if_contains("error");
  if (error && error->is_object()) order.problem = problem_text(error->as_object());
  if (order.authorizations.size() > most_names)
    throw AcmeError("the server's order has too many authorizations");
  return order;
}

}  // namespace

AcmeError::AcmeError(std::string_view words)
    : std::runtime_error(one_line(words, longest_problem)) {}

std::string AcmeProof::dns_value() const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  if (EVP_Digest(key_authorization.data(), key_authorization.size(), bytes.data(), &length,
                 EVP_sha256(), nullptr) != 1)
    throw AcmeError("SHA-256 failed");
  return base64_url({reinterpret_cast<const char*>(bytes.data()), length});
}

AcmeClient::AcmeClient(Fetch& fetch, Server server, const AccountKey& key, std::string account)
    : fetch_(fetch), server_(std::move(server)), key_(key), account_(std::move(account)) {}

FetchReply AcmeClient::ask(FetchRequest request) {
  request.ca = server_.ca;
  const std::string url = url_of(request.url, "address");
  FetchReply reply = fetch_.ask(request);
  if (!reply.failure.empty()) throw AcmeError(url + ": " + reply.failure);
  const std::string_view nonce = reply.header("replay-nonce");
  if (is_token(nonce)) nonce_ = nonce;
  return reply;
}

std::string AcmeClient::address(std::string_view name) {
  if (directory_.empty()) {
    const FetchReply reply = ask({.url = server_.directory, .method = "GET"});
    if (reply.status != 200) throw AcmeError("directory: " + problem_of(reply));
    directory_ = parse(reply);
  }
  return url_of(text_of(directory_, name), name);
}

// Each is good for one request (§6.5).
std::string AcmeClient::take_nonce() {
  if (nonce_.empty()) ask({.url = address("newNonce"), .method = "HEAD"});
  if (nonce_.empty()) throw AcmeError("the server gives no nonce");
  return std::exchange(nonce_, {});
}

FetchReply AcmeClient::post(const std::string& url, const std::string& payload) {
  for (int attempt = 0;; ++attempt) {
    const AccountKey::Header header{.url = url, .nonce = take_nonce(), .account = account_};
    FetchReply reply = ask({.url = url,
                            .method = "POST",
                            .headers = {"Content-Type: application/jose+json"},
                            .body = key_.sign(header, payload)});
    if (reply.status < 300) return reply;
    if (!is_bad_nonce(reply) || attempt == most_bad_nonces) throw AcmeError(problem_of(reply));
  }
}

json::object AcmeClient::post_for_object(const std::string& url, const std::string& payload,
                                         FetchReply& reply) {
  reply = post(url, payload);
  return parse(reply);
}

std::string AcmeClient::enroll(const std::string& email) {
  account_.clear();
  json::object body{{"termsOfServiceAgreed", true}};
  if (!email.empty()) body["contact"] = json::array{"mailto:" + email};
  const FetchReply reply = post(address("newAccount"), json::serialize(body));
  account_ = url_of(reply.header("location"), "account");
  return account_;
}

AcmeOrder AcmeClient::order(const std::vector<std::string>& names) {
  json::array identifiers;
  for (const std::string& name : names)
    identifiers.push_back(json::object{{"type", "dns"}, {"value", name}});
  FetchReply reply;
  const auto body = post_for_object(
      address("newOrder"), json::serialize(json::object{{"identifiers", identifiers}}), reply);
  return order_of(body, reply, reply.header("location"));
}

AcmeOrder AcmeClient::look_at(const std::string& order_url) {
  FetchReply reply;
  const auto body = post_for_object(order_url, "", reply);
  return order_of(body, reply, order_url);
}

std::vector<AcmeProof> AcmeClient::proofs(const AcmeOrder& order, AcmeChallengeType type) {
  const std::string_view wanted = type == AcmeChallengeType::Http01 ? "http-01" : "dns-01";
  std::vector<AcmeProof> proofs;
  for (const std::string& url : order.authorizations) {
    FetchReply reply;
    const auto authorization = post_for_object(url, "", reply);
    if (text_of(authorization, "status") == "valid") continue;
    const auto* identifier = authorization.if_contains("identifier");
    const std::string name =
        identifier && identifier->is_object() ? text_of(identifier->as_object(), "value") : "";
    const auto& offered = list_of(authorization, "challenges");
    const auto found = std::ranges::find_if(offered, [&](const json::value& each) {
      return each.is_object() && text_of(each.as_object(), "type") == wanted;
    });
    if (found == offered.end())
      throw AcmeError("the server offers no " + std::string(wanted) + " for " + name);
    const auto& challenge = found->as_object();
    const std::string token = text_of(challenge, "token");
    if (!is_token(token)) throw AcmeError("the server's token is not one");
    proofs.push_back({.url = text_of(challenge, "url"),
                      .name = name,
                      .token = token,
                      .key_authorization = token + "." + key_.thumbprint()});
  }
  return proofs;
}

void AcmeClient::ready(const AcmeProof& proof) { post(proof.url, "{}"); }

AcmeOrder AcmeClient::finalize(const AcmeOrder& order, const std::string& request_der) {
  FetchReply reply;
  const auto body = post_for_object(
      order.finalize, json::serialize(json::object{{"csr", base64_url(request_der)}}), reply);
  return order_of(body, reply, order.url);
}

std::string AcmeClient::download(const AcmeOrder& order) {
  if (order.certificate.empty()) throw AcmeError("the valid order has no certificate");
  return post(order.certificate, "").body;
}

std::string AcmeClient::why_invalid(const AcmeOrder& order) {
  std::string text = order.problem;
  for (const std::string& url : order.authorizations) {
    FetchReply reply;
    const auto authorization = post_for_object(url, "", reply);
    for (const auto& each : list_of(authorization, "challenges")) {
      const auto* error = each.is_object() ? each.as_object().if_contains("error") : nullptr;
      if (!error || !error->is_object()) continue;
      text.append(text.empty() ? "" : "; ").append(problem_text(error->as_object()));
    }
  }
  return text.empty() ? "the server refused the order" : one_line(text, longest_problem);
}

}  // namespace mp
