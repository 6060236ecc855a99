#include "api/api.hpp"

#include "api/answer.hpp"
#include "api/body.hpp"
#include "api/etag.hpp"
#include "api/feature.hpp"
#include "api/limits.hpp"
#include "api/multipart.hpp"
#include "api/observe.hpp"
#include "api/openapi.hpp"
#include "api/references.hpp"
#include "base/log.hpp"

#include <boost/json.hpp>

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
  for (const std::string_view method : route.allowed)
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
  header.remove_prefix(scheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);  // RFC 9110 11.4: one space or more
  return header;
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

// A kept answer says it again.
void add_location(const Endpoint& endpoint, const Reply& reply, http::Headers& headers) {
  if (endpoint.location.empty() || reply.status != 201) return;
  const auto made = boost::json::parse(reply.data);
  headers.emplace_back("Location",
                       "/api/v1" + endpoint.location + std::to_string(made.at("id").as_int64()));
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
  RandomTexts ids;
};

Api::Api(Context& context, Workers& workers)
    : context_(context),
      workers_(workers),
      router_(all_endpoints().all()),
      reads_at_hand_(context.store.kind() == "sqlite"),
      inside_(std::make_unique<Inside>(context)) {}

Api::~Api() = default;

// A finished answer that waits for proxies.
struct Api::Settling {
  const Description* noun = nullptr;  // of its data, when that has a status
  std::string request_id{};
  std::int64_t cluster_id = 0;
  std::int64_t revision = 0;
  std::int64_t seconds = 0;
  Reply reply{};
  http::Headers headers{};
};

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
  if (is_quick(job->route)) return respond(job);
  if (workers_.post([this, job] { respond(job); })) return;
  Error error = unavailable("The server is overloaded", "worker queue full");
  job->answer(failure(error, request_id_of(job->request, inside_->ids), context_.clock.now()));
}

// A read by key from the file at hand takes less time than passing it to a worker. Few workers are
// busy then, so that a connection to read with is free.
bool Api::is_quick(const Route& route) const {
  return route.endpoint && route.endpoint->declaration.effort == Effort::Quick && reads_at_hand_ &&
         workers_.busy() < most_busy;
}

void Api::respond(const std::shared_ptr<Job>& job) {
  const http::Request& request = job->request;
  const Route& route = job->route;
  Call call(request, context_);
  call.request_id = request_id_of(request, inside_->ids);
  // Counted when the answer leaves, whether now or once the proxies have what was written.
  const http::Answer counted = [this, job](http::Response response) {
    inside_->observer.answered(
        {.endpoint = job->route.endpoint, .method = job->request.method, .status = response.status},
        std::chrono::steady_clock::now() - job->began);
    job->answer(std::move(response));
  };
  try {
    run(request, call, route, counted);
    // An answer that waits for proxies needs neither.
    http::Headers().swap(job->request.headers);
    std::string().swap(job->request.body);
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
  if (!route.endpoint)
    throw route.allowed.empty() ? Error(Code::NotFound, "") : without_method(route);
  const Endpoint& endpoint = *route.endpoint;
  check_size(request);
  const auto& declaration = endpoint.declaration;
  call.caller_epoch = context_.credentials.epoch();
  call.caller = find_caller(context_, request, declaration.needs);
  authenticate(declaration.needs, call.caller);
  limit(call, declaration.rate);
  permit({declaration.needs, declaration.through, permission_for(request.method)}, call.caller);
  demand(call, declaration.feature);
  call.path = route.path;
  const std::string_view target = request.target;
  const auto question = target.find('?');
  auto query = parse_query(question == std::string_view::npos ? "" : target.substr(question + 1));
  if (!query) throw invalid("query", "Is not valid percent-encoded UTF-8");
  call.query = *std::move(query);
  Reply reply = reply_of(endpoint, call);
  finish(call, route, std::move(reply), answer);
}

// With an Idempotency-Key that was used before: what was answered then, before the handler looks at
// anything, as it may do more than write. The key is free again before the answer goes out.
Reply Api::reply_of(const Endpoint& endpoint, Call& call) {
  const std::string_view key = call.request.header("Idempotency-Key");
  if (key.empty() || call.request.method != "POST" || !changes(endpoint)) return endpoint.run(call);
  const Once once(call, key);
  std::optional<Reply> kept;
  call.read([&](Reader& db) { kept = once.find(db); });
  if (kept) {
    call.revision = kept->revision;
    return *std::move(kept);
  }
  call.once = &once;
  return endpoint.run(call);
}

void Api::finish(Call& call, const Route& route, Reply reply, const http::Answer& answer) {
  if (reply.etag.empty()) reply.etag = call.etag;
  http::Headers headers = std::move(call.headers);
  add(std::move(call.limits), headers);
  if (route.deprecated) Observer::deprecate(route, headers);
  add_location(*route.endpoint, reply, headers);
  if (call.revision > 0) headers.emplace_back("X-Config-Revision", std::to_string(call.revision));
  const std::int64_t seconds = call.revision > 0 ? preferred_wait(call.request) : 0;
  if (seconds > 0) {
    headers.emplace_back("Preference-Applied", "wait=" + std::to_string(seconds));
    const Settling settling{.noun = route.endpoint->settles,
                            .request_id = call.request_id,
                            .cluster_id = call.revision_cluster,
                            .revision = call.revision,
                            .seconds = seconds,
                            .reply = std::move(reply),
                            .headers = std::move(headers)};
    return wait_for_proxies(std::make_shared<Settling>(settling), answer);
  }
  http::Response response = success(reply, call.request_id, context_.clock.now());
  const bool reading = call.request.method == "GET" || call.request.method == "HEAD";
  if (reading && matches(list_header(call.request, "If-None-Match"), reply.etag)) {
    response.status = 304;
    response.body.clear();
    std::erase_if(response.headers,
                  [](const auto& header) { return header.first == "Content-Type"; });
  }
  add(std::move(headers), response.headers);
  answer(std::move(response));
}

void Api::wait_for_proxies(const std::shared_ptr<Settling>& settling, const http::Answer& answer) {
  if (settling->noun && settling->cluster_id == 0) {  // a kept answer
    const auto data = boost::json::parse(settling->reply.data);
    const auto* cluster_id = data.at("cluster_id").if_int64();
    settling->cluster_id = cluster_id ? *cluster_id : every_cluster;
  }
  std::vector<std::int64_t> clusters;
  if (settling->cluster_id > 0) clusters.push_back(settling->cluster_id);
  if (settling->cluster_id == every_cluster) clusters = context_.hub.clusters();
  const Time deadline = context_.clock.now() + std::chrono::seconds(settling->seconds);
  when_settled({context_.hub.status(), settling->revision, deadline}, std::move(clusters),
               xds::State::Idle,
               [this, answer, settling](xds::State state) { answer(settled(*settling, state)); });
}

// The body was made with the change; meanwhile the proxies have had their say. What was idle has
// nothing for them.
void Api::renew_status(Settling& settling) const {
  if (!settling.noun) return;
  boost::json::value answered = boost::json::parse(settling.reply.data);
  auto& data = answered.as_object();
  auto& shown = data.at(fleet_status(*settling.noun)->name);
  const std::string before(shown.at("state").as_string());
  if (before == "idle") return;
  const auto* cluster_id = data.at("cluster_id").if_int64();
  const Status status = StatusReader::settled(
      context_.hub, {.noun = *settling.noun,
                     .id = data.at("id").as_int64(),
                     .cluster_id = cluster_id ? std::optional(*cluster_id) : std::nullopt,
                     .revision = settling.revision});
  shown = to_json(describe<Status>, &status);
  settling.reply.data = boost::json::serialize(answered);
  settling.reply.etag = etag_in_state(settling.reply.etag, before, status.state);
}

http::Response Api::settled(Settling& settling, xds::State state) const {
  renew_status(settling);
  http::Response response = success(settling.reply, settling.request_id, context_.clock.now());
  add(std::move(settling.headers), response.headers);
  response.headers.emplace_back("X-Config-Status", xds::to_string(state));
  return response;
}

}  // namespace mp::api
