#include "xds/session.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "xds/form.hpp"
#include "xds/switchboard.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {
namespace {

constexpr int internal_status = 13;
constexpr std::size_t longest_node_id = 64;
constexpr Milliseconds longest_farewell{2'000};  // until a line that cannot be finished is cut

}  // namespace

bool valid_node_id(std::string_view id) {
  const auto allowed = [](char each) {
    return (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') ||
           (each >= '0' && each <= '9') || each == '.' || each == '_' || each == '-';
  };
  return !id.empty() && id.size() <= longest_node_id && std::ranges::all_of(id, allowed);
}

Session::Session(StreamId id, Call call, Line& line, Switchboard& board)
    : id_(id), call_(std::move(call)), board_(board), line_(&line) {}

void Session::on_message(std::string_view bytes) {
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::Waiting && phase_ != Phase::Open) return;
    try {
      Request request = parse_request(call_.flavour, bytes);
      if (phase_ == Phase::Waiting)
        begin(std::move(request));
      else
        take(std::move(request));
    } catch (const Error& error) {
      end(facts(error.code).grpc_status, words_of(error));
    }
  }
  after();
}

// The first request must say who asks ("node is only guaranteed in the first request").
void Session::begin(Request request) {
  key_ = call_.cluster_key;
  if (key_.empty() && request.node) key_ = request.node->cluster_key;
  if (key_.empty()) throw Error{Code::Authentication, "x-cluster-api-key is missing"};
  if (!request.node || !valid_node_id(request.node->id)) {
    throw Error{Code::Validation, std::string(node_id_rule)};
  }
  const Node& node = *request.node;
  node_ = {.id = node.id,
           .cluster = node.cluster,
           .proxy_type = node.proxy_type,
           .listen_address = node.listen_address,
           .peer = call_.peer,
           .version = node.version,
           .proxyless = call_.channel == Channel::Aggregated && is_proxyless(node, request)};
  returns_ = !request.initial_versions.empty() || !request.version.empty();
  first_ = std::move(request);
  phase_ = Phase::Admitting;
  if (!board_.request_admission(shared_from_this())) {
    throw Error{Code::Unavailable, "too many proxies ask for admission"};
  }
}

void Session::take(Request request) {
  if (call_.channel == Channel::Secrets) {
    const auto url = type_url(Type::Secret);
    if (request.type_url.empty()) request.type_url = url;
    if (request.type_url != url) throw Error{Code::Validation, "this service serves secrets only"};
  }
  const Time now = board_.now();
  send(stream_->on_request(request, now));
  schedule(now);
  read_on();
}

// What a client asks is answered, however slowly it reads; so it may ask more only when it has
// read.
void Session::read_on() {
  if (phase_ != Phase::Open || !line_) return;
  to_read_ = congested();
  if (!to_read_) line_->read();
}

// Pushes that the client was too slow for have become one.
void Session::catch_up() {
  if (phase_ != Phase::Open || !std::exchange(behind_, false)) return;
  const Time now = board_.now();
  if (publication_.snapshot && stream_->target() != publication_.snapshot)
    send(stream_->on_snapshot(publication_.snapshot, now));
  send(stream_->on_time(now));
  schedule(now);
}

void Session::on_drained() {
  {
    const std::lock_guard lock{mutex_};
    waiting_ = 0;
    if (!behind_ && !to_read_) return;
    catch_up();
    if (to_read_) read_on();
  }
  after();
}

void Session::admit() {
  const std::uint64_t changes = board_.key_checks().changes();
  NodeInfo node;
  Secret key;
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::Admitting) return;
    node = node_;
    key = key_;
  }
  try {
    const Admission admission = board_.gate().admit(key.reveal(), node);
    const GroupKey group{.cluster_id = admission.cluster_id,
                         .type = admission.type,
                         .listen_address = admission.listen_address,
                         .flavour = route_form(call_.flavour, node.version)};
    board_.join(shared_from_this(), admission, group, changes);
  } catch (const Error& error) {
    close(facts(error.code).grpc_status, words_of(error));
  } catch (const std::exception& fault) {
    log::error("admission of a proxy failed", {{"node", node.id}, {"fault", fault.what()}});
    close(internal_status, "internal error");
  }
}

void Session::open(const Admission& admission, const Shared& shared,
                   const Publication& publication) {
  {
    const std::lock_guard reporting{reporting_};
    std::unique_lock lock{mutex_};
    if (phase_ == Phase::Admitting) {
      phase_ = Phase::Open;
      admission_ = admission;
      stream_.emplace(call_.flavour, shared.differences);
      parcels_ = shared.parcels;
      if (publication.edition > publication_.edition) publication_ = publication;
      listed_ = true;
      lock.unlock();
      ++board_.status().counters().streams;
      if (call_.channel == Channel::Aggregated && admission.type != ProxyType::Proxyless) {
        board_.status().connected({.stream = id_,
                                   .proxy_id = admission.proxy_id,
                                   .cluster_id = admission.cluster_id,
                                   .hostname = admission.hostname,
                                   .held =
                                       [weak = weak_from_this()] {
                                         const auto self = weak.lock();
                                         return self ? self->held() : std::vector<HeldType>{};
                                       }},
                                  board_.now());
      }
      lock.lock();
      if (phase_ == Phase::Open) {
        try {
          if (publication_.snapshot)
            send(stream_->on_snapshot(publication_.snapshot, board_.now()));
          take(std::move(first_));
        } catch (const Error& error) {
          end(facts(error.code).grpc_status, words_of(error));
        }
      }
    }
  }
  after();
}

void Session::publish(const Publication& publication) {
  {
    const std::lock_guard lock{mutex_};
    if (publication.edition <= publication_.edition) return;
    publication_ = publication;
    if (phase_ != Phase::Open) return;
    behind_ = congested();
    if (behind_) return;
    const Time now = board_.now();
    send(stream_->on_snapshot(publication_.snapshot, now));
    schedule(now);
  }
  after();
}

void Session::on_time() {
  {
    const std::lock_guard lock{mutex_};
    const Time now = board_.now();
    if (!scheduled_ || *scheduled_ > now) return;  // an earlier timer, which another one overtook
    scheduled_ = std::nullopt;
    if (phase_ == Phase::Closed && line_ && abort_at_ && *abort_at_ <= now) {
      line_->abort();
      abort_at_ = std::nullopt;
    }
    if (phase_ == Phase::Open) {
      if (admission_.key_valid_until && *admission_.key_valid_until <= now) {
        end(facts(Code::Authentication).grpc_status, "cluster key expired");
      } else if (congested()) {
        behind_ = true;
      } else {
        send(stream_->on_time(now));
      }
    }
    schedule(now);
  }
  after();
}

void Session::retry() {
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::Open) return;
    const Time now = board_.now();
    send(stream_->on_retry(now));
    schedule(now);
  }
  after();
}

std::optional<KeyQuestion> Session::key_question() {
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::Open) return std::nullopt;
  return KeyQuestion{.cluster_id = admission_.cluster_id, .key = key_};
}

void Session::key_holds(std::optional<Time> until, std::uint64_t asked) {
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::Open || asked < checked_) return;
  checked_ = asked;
  admission_.key_valid_until = until;
  schedule(board_.now());
}

void Session::close(int grpc_status, const std::string& message) {
  {
    const std::lock_guard lock{mutex_};
    end(grpc_status, message);
  }
  after();
}

void Session::on_gone() {
  {
    const std::lock_guard lock{mutex_};
    phase_ = Phase::Closed;
    line_ = nullptr;
  }
  after();
}

void Session::end(int grpc_status, const std::string& message) {
  if (phase_ == Phase::Closed) return;
  phase_ = Phase::Closed;
  if (!line_) return;
  line_->finish(grpc_status, message);
  const Time now = board_.now();
  abort_at_ = now + longest_farewell;
  schedule(now);
}

void Session::send(const Stream::Responses& responses) {
  if (responses.empty() || !line_) return;
  std::vector<Message> messages;
  messages.reserve(responses.size());
  for (const auto& response : responses)
    messages.push_back(compose(call_.flavour, response, *parcels_));
  waiting_ = line_->write(std::move(messages));
}

void Session::schedule(Time now) {
  std::optional<Time> next;
  if (phase_ == Phase::Closed) {
    if (line_) next = abort_at_;
  } else if (phase_ == Phase::Open) {
    if (!behind_) next = stream_->next_wake(now);
    const auto& ends = admission_.key_valid_until;
    if (ends && (!next || *ends < *next)) next = ends;
  }
  if (!next || (scheduled_ && *scheduled_ <= *next)) return;
  scheduled_ = next;
  board_.wake_at(shared_from_this(), *next);
}

void Session::after() {
  if (!report()) return;
  board_.leave(shared_from_this());
  const std::lock_guard reporting{reporting_};
  if (!std::exchange(listed_, false)) return;
  --board_.status().counters().streams;
  board_.status().disconnected(id_, board_.now());
}

// Whether it is closed.
bool Session::report() {
  const std::lock_guard reporting{reporting_};
  Progress progress;
  std::optional<std::vector<Refusal>> refusals;
  Exchanges exchanges;
  bool proxyless = false, closed = false;
  {
    const std::lock_guard lock{mutex_};
    closed = phase_ == Phase::Closed;
    if (!stream_ || !listed_) return closed;
    proxyless = node_.proxyless;
    progress = stream_->progress();
    exchanges = stream_->exchanges();
    if (stream_->quarantine().edition() != reported_refusals_)
      refusals = stream_->quarantine().list();
    reported_refusals_ = stream_->quarantine().edition();
  }
  count(exchanges);
  if (refusals && !refusals->empty() && proxyless) {
    const Refusal& first = refusals->front();
    log::warning("a client without a proxy refuses what it is given",
                 {{"resource", first.resource}, {"message", first.message}});
  }
  // Refusals first: whoever waits for the revision is told of them.
  if (refusals) board_.status().report_refusals(id_, *std::move(refusals), board_.now());
  if (progress != reported_) board_.status().report(id_, progress, board_.now());
  reported_ = progress;
  return closed;
}

// All streams share the counters: what did not change is not written.
void Session::count(const Exchanges& exchanges) {
  Counters& counters = board_.status().counters();
  const auto add = [](auto& counter, std::uint64_t more) {
    if (more > 0) counter += more;
  };
  add(counters.pushes, exchanges.pushes - counted_.pushes);
  add(counters.acknowledgements, exchanges.acknowledgements - counted_.acknowledgements);
  add(counters.refusals, exchanges.refusals - counted_.refusals);
  counted_ = exchanges;
}

std::string Session::proxy_id() {
  const std::lock_guard lock{mutex_};
  if (node_.proxyless) return {};
  return admission_.proxy_id.empty() ? node_.id : admission_.proxy_id;
}

std::string Session::node_id() {
  const std::lock_guard lock{mutex_};
  return node_.id;
}

std::optional<ClientReport> Session::describe() {
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::Open || !stream_) return std::nullopt;
  return ClientReport{.node = node_,
                      .cluster = admission_.cluster_name,
                      .type = admission_.type,
                      .resources = stream_->resources(),
                      .refusals = stream_->quarantine().list()};
}

std::vector<HeldType> Session::held() {
  const std::lock_guard lock{mutex_};
  return stream_ ? stream_->held() : std::vector<HeldType>{};
}

}  // namespace mp::xds
