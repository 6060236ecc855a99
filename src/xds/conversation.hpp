// For tests of the protocol: one stream, a clock that the test moves, and responses as short texts
// such as "cluster a=1 b=2 -c". Never part of a program.
#pragma once

#include "xds/stream.hpp"

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mp::xds {

inline ResourcePtr resource(const std::string& name, const std::string& version,
                            std::int64_t origin = 0) {
  auto made = std::make_shared<Resource>();
  made->name = name;
  made->version = version;
  made->body = "body of " + name + " " + version;
  if (origin != 0) made->origins = {{.type = "service", .id = origin, .name = name}};
  return made;
}

// Type → name → version.
using Content = std::map<Type, std::map<std::string, std::string>>;

inline SnapshotPtr snapshot(std::int64_t revision, const Content& content) {
  auto made = std::make_shared<Snapshot>();
  made->revision = revision;
  for (const auto& [type, resources] : content) {
    for (const auto& [name, version] : resources) {
      made->types[static_cast<std::size_t>(type)].put(
          resource(name, version, static_cast<std::int64_t>(name_hash(name) % 1000 + 1)));
      made->censuses[static_cast<std::size_t>(type)].add(name, version);
    }
  }
  return made;
}

inline std::string noun(Type type) {
  static const std::map<Type, std::string> nouns{
      {Type::Cluster, "cluster"},   {Type::Endpoint, "endpoint"}, {Type::Secret, "secret"},
      {Type::Listener, "listener"}, {Type::Route, "route"},       {Type::ScopedRoute, "scope"}};
  return nouns.at(type);
}

inline std::string show(const Response& response) {
  std::string text = noun(response.type);
  for (const auto& each : response.resources) text += " " + each->name + "=" + each->version;
  for (const auto& name : response.removed) text += " -" + name;
  return text;
}

inline std::string show(const std::vector<Response>& responses) {
  std::string text;
  for (const auto& response : responses) text += (text.empty() ? "" : "; ") + show(response);
  return text;
}

class Conversation {
 public:
  explicit Conversation(Flavour flavour,
                        std::shared_ptr<Differences> differences = std::make_shared<Differences>())
      : stream(flavour, std::move(differences)) {}

  // Each returns what the server sends at once, and keeps it for the next answer.
  std::string ask(Type type, std::vector<std::string> names = {},
                  const std::vector<KnownVersion>& known = {}) {
    Request request = request_for(type);
    request.subscribe = std::move(names);
    request.initial_versions = known;
    return say(request);
  }

  std::string drop(Type type, std::vector<std::string> names) {
    Request request = request_for(type);
    request.unsubscribe = std::move(names);
    return say(request);
  }

  std::string give(SnapshotPtr next) { return hear(stream.on_snapshot(std::move(next), now)); }

  std::string wait(Milliseconds step) {
    now += step;
    return hear(stream.on_time(now));
  }

  std::string retry() { return hear(stream.on_retry(now)); }

  // Answers the oldest unanswered response.
  std::string accept(std::vector<std::string> names = {}) { return answer(std::move(names), {}); }
  std::string refuse(const std::string& message, std::vector<std::string> names = {}) {
    return answer(std::move(names), message);
  }
  // Answers everything, also what follows; what followed is the result.
  std::string accept_all(std::vector<std::string> names = {}) {
    std::string text;
    while (!unanswered.empty()) {
      const std::string more = accept(names);
      if (!more.empty()) text += (text.empty() ? "" : "; ") + more;
    }
    return text;
  }

  std::string say(const Request& request) { return hear(stream.on_request(request, now)); }

  Request request_for(Type type) const {
    Request request;
    request.type_url = type_url(type);
    return request;
  }

  Stream stream;
  Time now{Milliseconds{1'000'000}};
  std::vector<Response> unanswered;

 private:
  std::string answer(std::vector<std::string> names, std::optional<std::string> error) {
    const Response response = unanswered.front();
    unanswered.erase(unanswered.begin());
    Request request = request_for(response.type);
    request.nonce = response.nonce;
    request.version = response.version;
    request.subscribe = std::move(names);
    request.error = std::move(error);
    return say(request);
  }

  std::string hear(const std::vector<Response>& responses) {
    unanswered.insert(unanswered.end(), responses.begin(), responses.end());
    return show(responses);
  }
};

}  // namespace mp::xds
