#include "api/api.hpp"

#include "api/answer.hpp"
#include "api/body.hpp"
#include "api/feature.hpp"
#include "api/limits.hpp"
#include "api/multipart.hpp"
#include "api/observe.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <charconv>

namespace mp::api {
namespace {

constexpr std::size_t most_busy = 4;  // workers, for a request to be answered on its I/O thread
constexpr std::int64_t longest_wait = 60;  // seconds of Prefer: wait that are honoured

// RFC 7240: wait=SECONDS among the preferences; 0 when there is none.
std::int64_t preferred_wait(const http::Request& request) {
  const std::string_view header = request.header("Prefer");
  const auto at = header.find("wait=");
  if (at == std::string_view::npos) return 0;
  std::int64_t seconds = 0;
  const std::string_view text = header.substr(at + 5);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc()) return 0;
  return std::clamp<std::int64_t>(seconds, 0, longest_wait);
}

bool matches(std::string_view if_none_match, const std::string& etag) {
  if (etag.empty() || if_none_match.empty()) return false;
  return if_none_match == "*" || if_none_match.find("\"" + etag + "\"") != std::string_view::npos;
}

Error without_method(const Route& route) {
  Error error(Code::MethodNotAllowed, "");
  std::string allowed;
  for (const auto& method : route.allowed)
    allowed.append(allowed.empty() ? "" : ", ").append(method);
  error.headers.emplace_back("Allow", allowed);
  return error;
}

std::string_view bearer(const http::Request& request) {
  std::string_view header = request.header("Authorization");
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size()) return {};
  for (std::size_t at = 0; at < scheme.size(); ++at) {
    if ((header[at] | 0x20) != (scheme[at] | 0x20)) return {};
  }
  return header.substr(scheme.size());
}

Permission permission_for(std::string_view method) {
  return method == "GET" || method == "HEAD" ? Permission::Read : Permission::Write;
}

Caller find_caller(Context& context, const http::Request& request, Needs needs) {
  Caller caller;
  if (needs == Needs::ClusterKey) {
    std::string_view key = request.header("X-Cluster-API-Key");
    if (key.empty()) key = request.header("X-API-Key");
    if (!key.empty()) caller = context.credentials.by_cluster_key(key);
  } else if (needs != Needs::Nothing) {
    const std::string_view token = bearer(request);
    if (!token.empty()) caller = context.credentials.by_token(token);
    if (caller.api_key) context.key_use.note(caller.api_key->id, context.clock.now());
  }
  caller.address = client_of(request, context.trusted_proxies);
  return caller;
}

struct Wait {
  xds::Status& status;
  std::int64_t revision = 0;
  Time deadline;
};

int badness(xds::State state) {
  return state == xds::State::Rejected  ? 3
         : state == xds::State::Pending ? 2
         : state == xds::State::Live    ? 1
                                        : 0;
}

// One cluster after the other; the answer is the worst of them and of `before`, idle without any.
void when_settled(Wait wait, std::vector<std::int64_t> clusters, xds::State before,
                  std::function<void(xds::State)> done) {
  if (clusters.empty()) return done(before);
  const std::int64_t next = clusters.back();
  clusters.pop_back();
  wait.status.when_settled(
      next, wait.revision, wait.deadline,
      [wait, clusters = std::move(clusters), before, done = std::move(done)](xds::State state) {
        when_settled(wait, clusters, badness(state) > badness(before) ? state : before, done);
      });
}

void add(http::Headers more, http::Headers& headers) {
  for (auto& header : more) headers.push_back(std::move(header));
}

void check_size(const http::Request& request) {
  const bool json = !is_form_data(request.header("Content-Type"));
  if (request.body_too_large || (json && request.body.size() > most_json))
    throw Error(Code::PayloadTooLarge, "");
}

}  // namespace

struct Api::Inside {
  explicit Inside(Context& context) : observer(context.metrics) {}
  Observer observer;
};

Api::Api(Context& context, Workers& workers)
    : context_(context),
      workers_(workers),
      router_(all_endpoints().all()),
      reads_at_hand_(context.store.kind() == "sqlite"),
      inside_(std::make_unique<Inside>(context)) {}

Api::~Api() = default;

struct Api::Job {
  http::Request request;
  http::Answer answer;
  Route route;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};

void Api::handle(http::Request request, http::Answer answer) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  Route route = router_.find(request.method, path);
  auto job = std::make_shared<Job>(Job{std::move(request), std::move(answer), std::move(route)});
  if (is_quick(job->route)) return respond(*job);
  if (workers_.post([this, job] { respond(*job); })) return;
  Error error = unavailable("The server is overloaded", "worker queue full");
  job->answer(failure(error, request_id_of(job->request), context_.clock.now()));
}

// A read by key from the file at hand takes less time than passing it to a worker. Few workers are
// busy then, so that a connection to read with is free.
bool Api::is_quick(const Route& route) const {
  return route.endpoint && route.endpoint->declaration.effort == Effort::Quick && reads_at_hand_ &&
         workers_.busy() < most_busy;
}

void Api::respond(const Job& job) {
  const http::Request& request = job.request;
  const Route& route = job.route;
  Call call(request, context_);
  call.request_id = request_id_of(request);
  // Counted when the answer leaves, whether now or once the proxies have what was written.
  const auto counted = [this, answer = job.answer, began = job.began,
                        method = request.method == "HEAD" ? std::string("GET") : request.method,
                        label = Observer::label(route)](http::Response response) {
    inside_->observer.answered({.method = method, .endpoint = label, .status = response.status},
                               std::chrono::steady_clock::now() - began);
    answer(std::move(response));
  };
  try {
    run(request, call, route, counted);
  } catch (const Error& error) {
    if (!error.log.empty()) log::error(error.log, {{"request_id", call.request_id}});
    http::Response response = failure(error, call.request_id, context_.clock.now());
    add(std::move(call.limits), response.headers);
    if (route.deprecated) Observer::deprecate(route, response.headers);
    counted(std::move(response));
  } catch (const std::exception& fault) {
    log::error("request failed", {{"request_id", call.request_id}, {"fault", fault.what()}});
    http::Response response =
        failure(Error(Code::Internal, ""), call.request_id, context_.clock.now());
    add(std::move(call.limits), response.headers);
    counted(std::move(response));
  }
}

void Api::run(const http::Request& request, Call& call, const Route& route,
              const http::Answer& answer) {
  if (route.allowed.empty()) throw Error(Code::NotFound, "");
  if (!route.endpoint) throw without_method(route);
  const Endpoint& endpoint = *route.endpoint;
  check_size(request);
  const auto& declaration = endpoint.declaration;
  call.caller = find_caller(context_, request, declaration.needs);
  authenticate(declaration.needs, call.caller);
  limit(call, declaration.rate);
  permit({declaration.needs, declaration.through, permission_for(request.method)}, call.caller);
  demand(call, declaration.feature);
  call.path = route.path;
  const std::string_view target = request.target;
  const auto question = target.find('?');
  auto query = parse_query(question == std::string_view::npos ? "" : target.substr(question + 1));
  if (!query) throw invalid("query", "Is not valid percent-encoded text");
  call.query = *std::move(query);
  Reply reply = endpoint.run(call);
  finish(call, route, std::move(reply), answer);
}

void Api::finish(Call& call, const Route& route, Reply reply, const http::Answer& answer) {
  if (reply.etag.empty()) reply.etag = call.etag;
  const bool reading = call.request.method == "GET" || call.request.method == "HEAD";
  http::Response response = success(reply, call.request_id, context_.clock.now());
  if (reading && matches(call.request.header("If-None-Match"), reply.etag)) {
    response.status = 304;
    response.body.clear();
    std::erase_if(response.headers,
                  [](const auto& header) { return header.first == "Content-Type"; });
  }
  add(std::move(call.headers), response.headers);
  add(std::move(call.limits), response.headers);
  if (route.deprecated) Observer::deprecate(route, response.headers);
  if (call.revision > 0)
    response.headers.emplace_back("X-Config-Revision", std::to_string(call.revision));
  const std::int64_t seconds = call.revision > 0 ? preferred_wait(call.request) : 0;
  if (seconds == 0) return answer(std::move(response));
  wait_for_proxies(call, seconds, std::move(response), answer);
}

void Api::wait_for_proxies(const Call& call, std::int64_t seconds, http::Response response,
                           const http::Answer& answer) {
  response.headers.emplace_back("Preference-Applied", "wait=" + std::to_string(seconds));
  std::vector<std::int64_t> clusters;
  if (call.revision_cluster > 0) clusters.push_back(call.revision_cluster);
  if (call.revision_cluster == every_cluster) clusters = context_.hub.clusters();
  const Time deadline = context_.clock.now() + std::chrono::seconds(seconds);
  when_settled({context_.hub.status(), call.revision, deadline}, std::move(clusters),
               xds::State::Idle,
               [answer, response = std::move(response)](xds::State state) mutable {
                 response.headers.emplace_back("X-Config-Status", xds::to_string(state));
                 answer(std::move(response));
               });
}

}  // namespace mp::api
