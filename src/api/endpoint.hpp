// What the signature of a handler says of its endpoint: parameter types are the inputs (Id, New,
// Late, Change, Lenient, Query, Listing), the result type is the status and the schema (T 200,
// Created<T> 201, Page<T>, Done, Document). Endpoints puts it beside the declaration.
#pragma once

#include "api/declaration.hpp"
#include "api/etag.hpp"
#include "model/extra_filter.hpp"
#include "model/json_text.hpp"
#include "model/shape.hpp"

namespace mp::api {

// ---- inputs ----
template <class T>
struct Id {
  using Key = decltype(T::id);
  Key value{};
};

// {id} where it counts changes instead of naming an object.
struct RevisionNumber {
  std::int64_t value = 0;
};

// {name} of a file.
struct FileName {
  std::string value;
};

// {name} of a challenge of an ACME server.
struct ChallengeToken {
  std::string value;
};

template <class T>
struct New {
  T value{};
};

// Proxy endpoints: fields we do not know are ignored.
template <class T>
struct Lenient {
  T value{};
};

// A body that is read once the handler has found its object and the caller may write it, because
// 403 and 404 come before 400. No body at all is an empty one where no field is required.
template <class T>
struct Late {
  Call& call;
  T read() const;
};

// PUT or PATCH: applied to the object once it is loaded and visible.
template <class T>
struct Change {
  Call& call;
  void apply(T& object) const;
  Violations read(T& object) const;  // the same, but tells what is wrong instead of throwing it
};

// Query parameters by a described struct.
template <class Q>
struct Query {
  Q value{};
};

// page, limit, search, sort and the declared filters of T's list, checked.
struct ListQuery {
  std::int64_t page = 1;
  std::int64_t limit = 20;
  std::string search;
  std::string sort;
  std::vector<std::pair<std::string, boost::json::value>> filters;  // declared and extra ones
  const boost::json::value* filter(std::string_view name) const;
};

template <class T>
struct Listing : ListQuery {};

// ---- results ----
template <class T>
struct Created {
  T value{};
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
  std::int64_t page = 1;
  std::int64_t limit = 20;
};

struct Done {
  std::string message = "Operation completed successfully";  // shown beside empty data
};

// A body in a format of its own.
struct Document {
  std::string content_type;
  std::string text;
  int status = 200;
  std::string etag = {};
};

// ---- plain code behind the templates ----

std::int64_t read_integer_id(const Call& call);  // NotFound when it is no positive number
void id_parameter(Endpoint& endpoint, const Description& description, boost::json::object schema);
ListQuery read_list_query(const Call& call, const Description& description,
                          std::span<const ExtraFilter> extra);
void list_parameters(Endpoint& endpoint, const Description& description,
                     std::span<const ExtraFilter> extra);
void query_parameters(Endpoint& endpoint, const Description& description);
void read_query(const Call& call, const Description& description, void* object);
void read_body(Call& call, const Description& description, void* object, Unknown unknown);
void read_late_body(Call& call, const Description& description, void* object);
bool needs_body(const Description& description);  // some field of it is required
Violations take_change(Call& call, const Description& description, void* object);
void refuse_query(const Call& call);  // an endpoint without query parameters got some
// The items are JSON texts with commas between.
std::string page_text(const Description& description, const std::string& items, std::int64_t total,
                      std::int64_t page, std::int64_t limit);
void page_links(Call& call, std::int64_t total, std::int64_t page, std::int64_t limit);

template <class T>
T Late<T>::read() const {
  T value{};
  read_late_body(call, describe<T>, &value);
  return value;
}

template <class T>
void Change<T>::apply(T& object) const {
  Violations violations = read(object);
  if (!violations.empty()) throw invalid(std::move(violations));
}

template <class T>
Violations Change<T>::read(T& object) const {
  check_match(call, describe<T>, &object);
  return take_change(call, describe<T>, &object);
}

template <class In>
struct Input;

template <class T>
struct Input<Id<T>> {
  static void declare(Endpoint& endpoint) {
    id_parameter(endpoint, describe<T>, ShapeOf<decltype(T::id)>::schema({.min = 1}));
  }
  static Id<T> read(Call& call) {
    if constexpr (std::is_same_v<decltype(T::id), std::string>)
      return {path_parameter(call, "id")};
    else
      return {read_integer_id(call)};
  }
};

template <>
struct Input<RevisionNumber> {
  static void declare(Endpoint& endpoint) {
    endpoint.parameters.push_back(
        {"id",
         "path",
         "Number of the change.",
         {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"example", 17}},
         true});
  }
  static RevisionNumber read(Call& call) { return {read_integer_id(call)}; }
};

template <>
struct Input<FileName> {
  static void declare(Endpoint& endpoint) {
    endpoint.parameters.push_back(
        {"name", "path", "Name of the file.", {{"type", "string"}, {"example", "docs.js"}}, true});
  }
  static FileName read(Call& call) { return {path_parameter(call, "name")}; }
};

template <>
struct Input<ChallengeToken> {
  static void declare(Endpoint& endpoint) {
    endpoint.parameters.push_back(
        {"name",
         "path",
         "Token of the challenge.",
         {{"type", "string"}, {"example", "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"}},
         true});
  }
  static ChallengeToken read(Call& call) { return {path_parameter(call, "name")}; }
};

template <class T>
struct Input<New<T>> {
  static void declare(Endpoint& endpoint) { endpoint.body = &describe<T>; }
  static New<T> read(Call& call) {
    New<T> input;
    read_body(call, describe<T>, &input.value, Unknown::Refuse);
    return input;
  }
};

template <class T>
struct Input<Lenient<T>> {
  static void declare(Endpoint& endpoint) { endpoint.body = &describe<T>; }
  static Lenient<T> read(Call& call) {
    Lenient<T> input;
    read_body(call, describe<T>, &input.value, Unknown::Ignore);
    return input;
  }
};

template <class T>
struct Input<Late<T>> {
  static void declare(Endpoint& endpoint) {
    endpoint.body = &describe<T>;
    endpoint.body_is_optional = !needs_body(describe<T>);
  }
  static Late<T> read(Call& call) { return {call}; }
};

template <class T>
struct Input<Change<T>> {
  static void declare(Endpoint& endpoint) {
    endpoint.body = &describe<T>;
    endpoint.body_schema = SchemaOf::Update;
    endpoint.conditional = has_revision(describe<T>);
  }
  static Change<T> read(Call& call) { return {call}; }
};

template <class Q>
struct Input<Query<Q>> {
  static void declare(Endpoint& endpoint) { query_parameters(endpoint, describe<Q>); }
  static Query<Q> read(Call& call) {
    Query<Q> input;
    read_query(call, describe<Q>, &input.value);
    return input;
  }
};

template <class T>
struct Input<Listing<T>> {
  static void declare(Endpoint& endpoint) {
    list_parameters(endpoint, describe<T>, extra_filters<T>);
  }
  static Listing<T> read(Call& call) {
    return {read_list_query(call, describe<T>, extra_filters<T>)};
  }
};

template <class R>
struct Output {
  static void declare(Endpoint& endpoint) {
    endpoint.data = Data::Object;
    endpoint.data_of = &describe<R>;
    endpoint.has_etag = endpoint.has_etag || has_revision(describe<R>);
    if (fleet_status(describe<R>)) endpoint.settles = &describe<R>;
  }
  static Reply write(Call&, const R& result) {
    Reply reply{.data = "", .etag = etag_of(describe<R>, &result)};
    append_json(reply.data, describe<R>, &result);
    return reply;
  }
};

template <class T>
struct Output<Created<T>> {
  static void declare(Endpoint& endpoint) {
    Output<T>::declare(endpoint);
    endpoint.status = 201;
  }
  static Reply write(Call& call, const Created<T>& result) {
    Reply reply = Output<T>::write(call, result.value);
    reply.status = 201;
    return reply;
  }
};

template <class T>
struct Output<Page<T>> {
  static void declare(Endpoint& endpoint) {
    endpoint.data = Data::Page;
    endpoint.data_of = &describe<T>;
  }
  static Reply write(Call& call, const Page<T>& result) {
    std::string items;
    for (const T& item : result.items) {
      if (!items.empty()) items.push_back(',');
      append_json(items, describe<T>, &item);
    }
    page_links(call, result.total, result.page, result.limit);
    return {.data = page_text(describe<T>, items, result.total, result.page, result.limit)};
  }
};

template <>
struct Output<Done> {
  static void declare(Endpoint&) {}
  static Reply write(Call&, const Done& result) { return {.message = result.message}; }
};

// Writes within the transaction of `call.write`, so that an Idempotency-Key keeps exactly this
// answer.
template <class R, class Work>
R write(Call& call, Work work) {
  R result{};
  call.write([&](Writer& db) { result = work(db); },
             [&] { return Output<R>::write(call, result); });
  return result;
}

// The list of endpoints; each noun's file adds its own.
class Endpoints {
 public:
  template <class R, class... In>
  void add(Declaration declaration, R (*handler)(Call&, In...)) {
    Endpoint& endpoint = place(std::move(declaration));
    (Input<In>::declare(endpoint), ...);
    Output<R>::declare(endpoint);
    const bool plain_query = (... && !takes_query<In>);
    endpoint.run = [handler, plain_query](Call& call) {
      if (plain_query) refuse_query(call);
      std::tuple<Call&, In...> inputs{call, Input<In>::read(call)...};
      R result = std::apply(handler, std::move(inputs));
      if (call.replay) return *std::move(call.replay);
      return Output<R>::write(call, result);
    };
  }

  // A body of a format of its own; `content_type` is what the OpenAPI document says.
  template <class... In>
  void add_document(Declaration declaration, std::string content_type,
                    Document (*handler)(Call&, In...)) {
    Endpoint& endpoint = place(std::move(declaration));
    (Input<In>::declare(endpoint), ...);
    endpoint.content_type = std::move(content_type);
    const bool plain_query = (... && !takes_query<In>) && !endpoint.at_root;
    endpoint.run = [handler, plain_query](Call& call) {
      if (plain_query) refuse_query(call);
      std::tuple<Call&, In...> inputs{call, Input<In>::read(call)...};
      Document document = std::apply(handler, std::move(inputs));
      return Reply{.status = document.status,
                   .message = "",
                   .etag = std::move(document.etag),
                   .content_type = std::move(document.content_type),
                   .text = std::move(document.text)};
    };
  }

  // Once all are there: finds where what an endpoint makes can be read.
  void connect();
  // Of the endpoints that are added from now on.
  void group(const Group& group) { group_ = group; }
  const std::vector<Endpoint>& all() const { return endpoints_; }

 private:
  template <class In>
  static constexpr bool takes_query = false;
  Endpoint& place(Declaration declaration);
  Group group_{};
  std::vector<Endpoint> endpoints_;
};

template <class Q>
inline constexpr bool Endpoints::takes_query<Query<Q>> = true;
template <class T>
inline constexpr bool Endpoints::takes_query<Listing<T>> = true;

}  // namespace mp::api
