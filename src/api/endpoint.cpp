#include "api/endpoint.hpp"

#include "api/router.hpp"
#include "model/searched.hpp"
#include "model/status.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace mp::api {

namespace json = boost::json;

namespace {

constexpr std::int64_t most_on_page = 100;
constexpr std::int64_t last_page = 1'000'000'000;

std::optional<std::int64_t> positive(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

void read_bounded(std::int64_t& target, const std::string& name, const std::string& text,
                  std::int64_t most, Violations& violations) {
  const auto value = positive(text);
  if (value && *value <= most)
    target = *value;
  else
    violations.push_back(
        {name, "Must be a whole number between 1 and " + std::to_string(most), json::value(text)});
}

std::vector<std::string> sort_keys(const Description& description) {
  std::vector<std::string> keys;
  for (const Field& field : description.fields) {
    if (!field.rules.sort) continue;
    keys.emplace_back(field.name);
    keys.push_back("-" + std::string(field.name));
  }
  return keys;
}

void read_sort(ListQuery& query, const Description& description, const std::string& text,
               Violations& violations) {
  const auto keys = sort_keys(description);
  if (std::ranges::find(keys, text) == keys.end()) {
    std::string issue = "Must be one of ";
    for (std::size_t at = 0; at < keys.size(); at += 2)
      issue.append(at == 0 ? "" : ", ").append(keys[at]);
    violations.push_back({"sort", issue + ", with - in front for descending", json::value(text)});
  } else {
    query.sort = text[0] == '-' ? text.substr(1) + " DESC" : text;
  }
}

// A filter's text as its field's value; a violation when it is none.
void read_filter(ListQuery& query, const Field& field, const std::string& text,
                 Violations& violations) {
  const auto value = from_text(field.shape->json_type, text);
  const auto before = violations.size();
  const auto scratch = json::value(text);
  if (!value) {
    violations.push_back({std::string(field.name), "Is not a value of this field", scratch});
    return;
  }
  const Rules rules = field.shape->json_type == JsonType::Integer ? field.rules : Rules{};
  const json::object wanted = field.shape->schema(rules);
  if (const auto* names = wanted.if_contains("enum")) {
    const auto& list = names->as_array();
    if (std::ranges::find(list, *value) == list.end()) {
      violations.push_back({std::string(field.name), "Is not a value of this field", scratch});
    }
  }
  if (const auto* number = value->if_int64(); number && *number < rules.min) {
    violations.push_back(
        {std::string(field.name), "Must be at least " + std::to_string(rules.min), scratch});
  }
  if (violations.size() == before) query.filters.emplace_back(field.name, *value);
}

void read_extra(ListQuery& query, const ExtraFilter& extra, const std::string& text,
                Violations& violations) {
  if (!extra.names.empty()) {
    const int index =
        shape::read_enum(json::value(text), extra.names, std::string(extra.name), violations);
    if (index >= 0) query.filters.emplace_back(extra.name, json::value(text));
    return;
  }
  const auto value = from_text(extra.type, text);
  if (value && (!value->is_int64() || value->as_int64() >= 1))
    query.filters.emplace_back(extra.name, *value);
  else
    violations.push_back(
        {std::string(extra.name), "Is not a value of this filter", json::value(text)});
}

void read_list_parameter(ListQuery& query, const Description& description,
                         std::span<const ExtraFilter> extra, const std::string& name,
                         const std::string& text, Violations& violations) {
  if (name == "page") return read_bounded(query.page, name, text, last_page, violations);
  if (name == "limit") return read_bounded(query.limit, name, text, most_on_page, violations);
  if (name == "sort") return read_sort(query, description, text, violations);
  if (name == "search") {
    if (shape::code_points(text) > 255)
      violations.push_back({name, "Must have at most 255 characters"});
    else if (text.find('\0') != std::string::npos)
      violations.push_back({name, "Must not contain a NUL"});
    else
      query.search = text;
    return;
  }
  const Field* field = find_field(description, name);
  if (field && field->rules.filter) return read_filter(query, *field, text, violations);
  const auto found = std::ranges::find(extra, name, &ExtraFilter::name);
  if (found != extra.end()) return read_extra(query, *found, text, violations);
  violations.push_back({name, "Is not a known parameter", json::value(text)});
}

// A text to look for: anything that a URL can carry.
json::object filter_schema(json::object schema) {
  if (schema.at("type") != "string" || schema.contains("enum")) return schema;
  schema.erase("minLength");
  schema["pattern"] = "^[^\\u0000]*$";
  return schema;
}

void add_example(json::object& schema, std::string_view text) {
  if (!text.empty()) schema["example"] = json::parse(text);
}

void refuse_repeats(const Call& call, Violations& violations) {
  for (std::size_t at = 1; at < call.query.size(); ++at) {
    for (std::size_t before = 0; before < at; ++before) {
      if (call.query[at].first != call.query[before].first) continue;
      violations.push_back({call.query[at].first, "Is given twice"});
      break;
    }
  }
}

}  // namespace

const json::value* ListQuery::filter(std::string_view name) const {
  const auto found = std::ranges::find(
      filters, name, [](const auto& each) { return std::string_view(each.first); });
  return found == filters.end() ? nullptr : &found->second;
}

std::int64_t read_integer_id(const Call& call) {
  const auto id = positive(path_parameter(call, "id"));
  if (!id) throw Error(Code::NotFound, "");
  return *id;
}

void id_parameter(Endpoint& endpoint, const Description& description, json::object schema) {
  schema.erase("minLength");
  const Field* id = find_field(description, "id");
  if (id) add_example(schema, id->rules.example);
  endpoint.parameters.push_back({"id", "path",
                                 "Identifier of the " + std::string(description.name) + ".",
                                 std::move(schema), true, std::string(description.name) + "_id"});
  endpoint.object = &description;
}

ListQuery read_list_query(const Call& call, const Description& description,
                          std::span<const ExtraFilter> extra) {
  ListQuery query;
  Violations violations;
  refuse_repeats(call, violations);
  for (const auto& [name, text] : call.query) {
    read_list_parameter(query, description, extra, name, text, violations);
  }
  if (!violations.empty()) throw invalid(std::move(violations));
  return query;
}

void list_parameters(Endpoint& endpoint, const Description& description,
                     std::span<const ExtraFilter> extra) {
  auto& list = endpoint.parameters;
  list.push_back({"page",
                  "query",
                  "Page number, from 1.",
                  {{"type", "integer"},
                   {"format", "int64"},
                   {"minimum", 1},
                   {"maximum", last_page},
                   {"default", 1}},
                  false,
                  "page"});
  list.push_back({"limit",
                  "query",
                  "Items on a page.",
                  {{"type", "integer"},
                   {"format", "int32"},
                   {"minimum", 1},
                   {"maximum", most_on_page},
                   {"default", 20}},
                  false,
                  "limit"});
  list.push_back(
      {"search", "query",
       "Part of " + searched_fields(description) + ", upper and lower case of A to Z alike.",
       filter_schema({{"type", "string"}, {"maxLength", 255}, {"example", "web"}})});
  json::array keys;
  for (const auto& key : sort_keys(description)) keys.emplace_back(key);
  list.push_back({"sort",
                  "query",
                  "Order; with - in front descending.",
                  {{"type", "string"}, {"enum", keys}}});
  for (const Field& field : description.fields) {
    if (!field.rules.filter) continue;
    json::object schema = filter_schema(field.shape->schema({.min = field.rules.min}));
    add_example(schema, field.rules.example);
    list.push_back(
        {field.name, "query", "Only those with this " + std::string(field.name) + ".", schema});
  }
  for (const ExtraFilter& each : extra) {
    json::object schema =
        each.type == JsonType::Integer
            ? json::object{{"type", "integer"}, {"format", "int64"}, {"minimum", 1}}
        : each.names.empty() ? filter_schema({{"type", "string"}})
                             : shape::enum_schema(each.names);
    add_example(schema, each.example);
    list.push_back({each.name, "query", std::string(each.help), std::move(schema)});
  }
}

void query_parameters(Endpoint& endpoint, const Description& description) {
  const auto fresh = description.make();
  for (const Field& field : description.fields) {
    json::object schema = field.shape->schema(field.rules);
    json::value usual = field.shape->to_json(field.of(fresh.get()));
    if (!field.rules.example.empty())
      add_example(schema, field.rules.example);
    else if (!usual.is_null())
      schema["example"] = std::move(usual);
    endpoint.parameters.push_back({field.name, "query", std::string(field.help), std::move(schema),
                                   required(description, field)});
  }
}

void read_query(const Call& call, const Description& description, void* object) {
  Violations violations;
  refuse_repeats(call, violations);
  json::object body;
  for (const auto& [name, text] : call.query) {
    const Field* field = find_field(description, name);
    const auto value = field ? from_text(field->shape->json_type, text) : std::nullopt;
    if (!field)
      violations.push_back({name, "Is not a known parameter", json::value(text)});
    else
      body[name] = value ? *value : json::value(text);
  }
  read_new(description, object, body, "", violations);
  if (!violations.empty()) throw invalid(std::move(violations));
}

void read_body(Call& call, const Description& description, void* object, Unknown unknown) {
  Violations violations;
  read_new(description, object, call.body(), "", violations, unknown);
  if (!violations.empty()) throw invalid(std::move(violations));
}

bool needs_body(const Description& description) {
  return std::ranges::any_of(description.fields,
                             [&](const Field& field) { return required(description, field); });
}

void read_late_body(Call& call, const Description& description, void* object) {
  if (call.request.body.empty() && !needs_body(description)) return;
  read_body(call, description, object, Unknown::Refuse);
}

Violations take_change(Call& call, const Description& description, void* object) {
  Violations violations;
  if (call.request.method == "PATCH")
    read_patch(description, object, call.body(), violations);
  else
    read_change(description, object, call.body(), violations);
  return violations;
}

void refuse_query(const Call& call) {
  Violations violations;
  for (const auto& [name, text] : call.query) {
    violations.push_back({name, "Is not a known parameter", json::value(text)});
  }
  if (!violations.empty()) throw invalid(std::move(violations));
}

std::string page_text(const Description& description, const std::string& items, std::int64_t total,
                      std::int64_t page, std::int64_t limit) {
  std::string text = "{\"";
  text.append(description.plural).append("\":[").append(items);
  text.append("],\"total\":").append(std::to_string(total));
  text.append(",\"page\":").append(std::to_string(page));
  text.append(",\"limit\":").append(std::to_string(limit));
  return text.append("}");
}

void page_links(Call& call, std::int64_t total, std::int64_t page, std::int64_t limit) {
  const std::string_view target = call.request.target;
  const std::string base(target.substr(0, target.find('?')));
  std::string kept;
  std::string_view query =
      target.find('?') == std::string_view::npos ? "" : target.substr(target.find('?') + 1);
  while (!query.empty()) {  // the other parameters, as they were encoded
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (!part.empty() && percent_decode(part.substr(0, part.find('=')), true) != "page")
      kept.append("&").append(part);
  }
  const std::int64_t last = std::max<std::int64_t>(1, (total + limit - 1) / limit);
  std::string links;
  const auto add = [&](std::int64_t number, std::string_view relation) {
    links.append(links.empty() ? "<" : ", <")
        .append(base)
        .append("?page=")
        .append(std::to_string(number));
    links.append(kept).append(">; rel=\"").append(relation).append("\"");
  };
  add(1, "first");
  if (page > 1) add(std::min(page - 1, last), "prev");
  if (page < last) add(page + 1, "next");
  add(last, "last");
  call.headers.emplace_back("Link", links);
}

Endpoint& Endpoints::place(Declaration declaration) {
  const std::string_view call = declaration.call;
  const auto space = call.find(' ');
  std::string_view path = call.substr(space + 1);
  const bool at_root = path.starts_with('^');
  if (at_root) path.remove_prefix(1);
  Endpoint endpoint{
      .declaration = declaration,
      .group = group_,
      .method = std::string(call.substr(0, space)),
      .path = std::string(path),
      .at_root = at_root,
      .has_etag = std::ranges::find(declaration.headers, "ETag") != declaration.headers.end()};
  return endpoints_.emplace_back(std::move(endpoint));
}

void Endpoints::connect() {
  for (Endpoint& maker : endpoints_) {
    if (maker.status != 201) continue;
    const std::string place = "/" + std::string(maker.data_of->plural) + "/";
    const bool can_be_read = std::ranges::any_of(endpoints_, [&](const Endpoint& other) {
      return other.method == "GET" && other.path == place + "{id}";
    });
    if (can_be_read) maker.location = place;
  }
}

}  // namespace mp::api
