// The translation by example: tests/xds/<case>/config.json says what is wanted, snapshot.json what
// a proxy is given. UPDATE_GOLDEN=1 writes snapshot.json anew.
#include "xds/config_fixture.hpp"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mp::xds {
namespace {

namespace json = boost::json;
using std::filesystem::path;

const path cases = "tests/xds";

std::string read_file(const path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Indented, members by name.
void print(std::ostream& out, const json::value& value, const std::string& indent) {
  const std::string deeper = indent + "  ";
  const char* before = "\n";
  if (const auto* object = value.if_object(); object && !object->empty()) {
    std::map<std::string, const json::value*> members;
    for (const auto& [name, member] : *object) members.emplace(name, &member);
    out << "{";
    for (const auto& [name, member] : members) {
      out << std::exchange(before, ",\n") << deeper << json::serialize(name) << ": ";
      print(out, *member, deeper);
    }
    out << "\n" << indent << "}";
  } else if (const auto* list = value.if_array(); list && !list->empty()) {
    out << "[";
    for (const json::value& item : *list) {
      out << std::exchange(before, ",\n") << deeper;
      print(out, item, deeper);
    }
    out << "\n" << indent << "]";
  } else {
    out << json::serialize(value);
  }
}

json::value content(const Resource& resource) {
  google::protobuf::Any any;
  EXPECT_TRUE(any.ParseFromString(resource.body));
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const auto status = google::protobuf::util::MessageToJsonString(any, &text, options);
  EXPECT_TRUE(status.ok()) << status.ToString();
  json::value value = json::parse(text);
  value.as_object().erase("@type");
  return value;
}

std::string label(Condition condition) {
  switch (condition) {
    case Condition::Shadowed: return "shadowed";
    case Condition::Unsupported: return "unsupported";
    case Condition::Warning: return "warning";
  }
  return "";
}

// Listeners are shown by the cases that are about them.
json::object shown(const Snapshot& snapshot, const json::array& types) {
  constexpr std::array<std::pair<std::string_view, Type>, 6> names{{{"clusters", Type::Cluster},
                                                                    {"endpoints", Type::Endpoint},
                                                                    {"secrets", Type::Secret},
                                                                    {"listeners", Type::Listener},
                                                                    {"routes", Type::Route},
                                                                    {"scopes", Type::ScopedRoute}}};
  json::object all;
  for (const auto& [name, type] : names) {
    const bool whole = std::ranges::find(types, json::value(json::string(name))) != types.end();
    for (const ResourcePtr& resource : snapshot.of(type)) {
      json::value& entry = all[name].is_null() ? all[name].emplace_object()[resource->name]
                                               : all[name].as_object()[resource->name];
      if (whole) entry = content(*resource);
    }
  }
  json::array findings;
  for (const Finding& finding : *snapshot.findings) {
    findings.push_back(json::value(finding.object.type + " " + std::to_string(finding.object.id) +
                                   " " + label(finding.condition) + ": " + finding.message));
  }
  all["findings"] = std::move(findings);
  return all;
}

Audience audience_of(const json::object& config) {
  Audience audience;
  if (config.contains("ingress")) audience.type = ProxyType::Ingress;
  if (config.contains("state_of_the_world")) audience.flavour = Flavour::StateOfTheWorld;
  return audience;
}

// "log": the switches that are on.
Logging logging_in(const json::object& config) {
  const auto* given = config.if_contains("log");
  const auto on = [&](const char* name) {
    return given && std::ranges::count(given->as_array(), json::value(name)) == 1;
  };
  return {on("auth"), on("netflow"), on("debug")};
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, Snapshot) {
  const path folder = cases / GetParam();
  const json::object config = json::parse(read_file(folder / "config.json")).as_object();
  Intent intent;
  for (const json::value& service : config.at("services").as_array())
    intent.service(service.as_object());
  for (const json::value& mapping : config.at("mappings").as_array())
    intent.mapping(mapping.as_object());
  if (const auto* certificates = config.if_contains("certificates")) {
    for (const json::value& certificate : certificates->as_array())
      intent.certificate(certificate.as_object());
  }
  if (config.contains("issuer")) intent.issuer();
  intent.log(logging_in(config));
  const SnapshotPtr snapshot = intent.build(audience_of(config));
  EXPECT_EQ(inconsistencies(*snapshot), std::vector<std::string>());
  std::ostringstream text;
  print(text, shown(*snapshot, config.at("show").as_array()), "");
  text << "\n";
  if (std::getenv("UPDATE_GOLDEN")) std::ofstream(folder / "snapshot.json") << text.str();
  EXPECT_EQ(text.str(), read_file(folder / "snapshot.json")) << "UPDATE_GOLDEN=1 accepts this";
}

std::vector<std::string> all_cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(cases))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(all_cases()), [](const auto& parameter) {
  std::string name = parameter.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace mp::xds
