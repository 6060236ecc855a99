#include "tests/simulation/client.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t most_remembered = 8;

}  // namespace

void UnrulyClient::connect() {
  outgoing.clear();
  unanswered_.clear();
  nonces_.clear();
  named_ = {};
  for (std::size_t n = random_.below(4); n > 0; --n) outgoing.push_back(any_request());
}

void UnrulyClient::receive(const Response& response, Time) {
  unanswered_.push_back(response);
  nonces_.push_back(response.nonce);
  const auto type = static_cast<std::size_t>(response.type);
  for (const auto& each : response.resources) heard_[type][each->name] = each->version;
  versions_[type] = response.version;
  if (nonces_.size() > most_remembered) nonces_.erase(nonces_.begin());
}

void UnrulyClient::act() {
  if (unanswered_.empty() || random_.chance(40)) {
    outgoing.push_back(any_request());
    return;
  }
  const auto at = random_.chance(80) ? 0 : random_.below(unanswered_.size());
  const Response response = unanswered_[at];
  const bool again = random_.chance(10);  // it will be answered once more
  if (!again) unanswered_.erase(unanswered_.begin() + static_cast<std::ptrdiff_t>(at));
  answer(response, random_.chance(20) ? std::optional(any_error(response.type)) : std::nullopt);
}

void UnrulyClient::answer(const Response& response, std::optional<std::string> error) {
  Request request;
  request.type_url = type_url(response.type);
  request.nonce = response.nonce;
  request.version = response.version;
  request.error = std::move(error);
  if (flavour_ == Flavour::StateOfTheWorld)
    request.subscribe = named_[static_cast<std::size_t>(response.type)];
  outgoing.push_back(std::move(request));
}

std::string UnrulyClient::any_error(Type type) {
  if (random_.chance(50)) return "no";
  return "Error adding/updating resource(s) " + any_name(type, random_) + ": no, " +
         any_name(type, random_) + ": no";
}

Request UnrulyClient::any_request() {
  Request request;
  const Type type = random_.pick(all_types);
  request.type_url = random_.chance(2) ? "type.googleapis.com/unknown" : type_url(type);
  const auto names = [&] {
    std::vector<std::string> list;
    for (std::size_t n = random_.below(4); n > 0; --n)
      list.push_back(random_.chance(15) ? "*" : any_name(type, random_));
    return list;
  };
  request.subscribe = names();
  request.unsubscribe = names();
  if (flavour_ == Flavour::Delta) {
    const auto known = names();
    for (const auto& name : std::set<std::string>{known.begin(), known.end()})
      request.initial_versions.push_back({name, any_version(type, name)});
  } else {
    request.unsubscribe.clear();
    if (random_.chance(30)) request.version = any_version(type, "");
  }
  if (!nonces_.empty() && random_.chance(40)) request.nonce = random_.pick(nonces_);
  if (random_.chance(5)) request.nonce = "nonsense";
  if (random_.chance(10)) request.error = any_error(type);
  if (flavour_ == Flavour::StateOfTheWorld)
    named_[static_cast<std::size_t>(type)] = request.subscribe;
  return request;
}

// One that is wrong, or was true once.
std::string UnrulyClient::any_version(Type type, const std::string& name) {
  if (breadth_ == Breadth::Narrow || random_.chance(30)) return "0";
  const auto at = static_cast<std::size_t>(type);
  if (name.empty()) return versions_[at];
  const auto found = heard_[at].find(name);
  return found == heard_[at].end() ? "0" : found->second;
}

void UnrulyClient::settle() {
  for (auto& response : std::exchange(unanswered_, {})) answer(response, std::nullopt);
}

}  // namespace mp::xds
