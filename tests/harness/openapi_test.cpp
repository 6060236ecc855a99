// The OpenAPI document in itself: what tools that generate clients rely on.
#include "judge.hpp"

#include "api/api.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <regex>
#include <set>

namespace mp::test {
namespace {

namespace json = boost::json;

// Calls `visit` with path, method and operation of each.
template <class Visit>
void each_operation(Visit visit) {
  for (const auto& path : the_judge().document().at("paths").as_object()) {
    for (const auto& method : path.value().as_object()) {
      visit(std::string(path.key()), std::string(method.key()), method.value().as_object());
    }
  }
}

template <class Visit>
void each_object(const json::value& node, const Visit& visit) {
  if (const auto* list = node.if_array()) {
    for (const auto& item : *list) each_object(item, visit);
  }
  if (const auto* object = node.if_object()) {
    visit(*object);
    for (const auto& member : *object) each_object(member.value(), visit);
  }
}

TEST(OpenApi, has_every_endpoint_once) {
  std::set<std::string> names;
  each_operation(
      [&](const std::string& path, const std::string& method, const json::object& operation) {
        const std::string name(operation.at("operationId").as_string());
        EXPECT_TRUE(names.insert(name).second)
            << name << " of " << method << " " << path << " is not unique";
      });
  EXPECT_EQ(names.size(), api::all_endpoints().all().size());
}

TEST(OpenApi, declares_the_parameters_of_its_paths) {
  static const std::regex form("\\{([^}]+)\\}");
  each_operation(
      [&](const std::string& path, const std::string& method, const json::object& operation) {
        std::set<std::string> used, declared;
        for (std::sregex_iterator at(path.begin(), path.end(), form), end; at != end; ++at)
          used.insert((*at)[1]);
        for (const auto& each : operation.at("parameters").as_array()) {
          const json::value& parameter = *the_judge().schemas().resolve(each);
          if (parameter.at("in").as_string() != "path") continue;
          EXPECT_TRUE(parameter.at("required").as_bool()) << method << " " << path;
          declared.insert(std::string(parameter.at("name").as_string()));
        }
        EXPECT_EQ(used, declared) << method << " " << path;
      });
}

TEST(OpenApi, has_what_it_refers_to) {
  each_object(the_judge().document(), [&](const json::object& object) {
    const auto* reference = object.if_contains("$ref");
    if (!reference) return;
    EXPECT_NE(the_judge().schemas().resolve(object), nullptr) << json::serialize(*reference);
  });
}

TEST(OpenApi, describes_every_operation_parameter_and_answer) {
  each_operation(
      [&](const std::string& path, const std::string& method, const json::object& operation) {
        EXPECT_TRUE(operation.at("summary").as_string().ends_with('.')) << method << " " << path;
        for (const auto& each : operation.at("parameters").as_array()) {
          const json::value& parameter = *the_judge().schemas().resolve(each);
          EXPECT_FALSE(parameter.at("description").as_string().empty()) << method << " " << path;
        }
        for (const auto& each : operation.at("responses").as_object()) {
          const json::value& response = *the_judge().schemas().resolve(each.value());
          EXPECT_FALSE(response.at("description").as_string().empty()) << method << " " << path;
        }
      });
}

TEST(OpenApi, shows_an_example_of_every_parameter_body_and_answer) {
  each_operation(
      [&](const std::string& path, const std::string& method, const json::object& operation) {
        const auto expect_examples = [&](const json::value& part, const std::string& place) {
          const auto* contents = part.as_object().if_contains("content");
          if (!contents) return;
          for (const auto& content : contents->as_object()) {
            EXPECT_TRUE(content.value().as_object().contains("example"))
                << method << " " << path << " " << place << " " << std::string(content.key());
          }
        };
        for (const auto& each : operation.at("parameters").as_array()) {
          const json::value& parameter = *the_judge().schemas().resolve(each);
          EXPECT_TRUE(parameter.as_object().contains("example"))
              << method << " " << path << " " << json::serialize(parameter.at("name"));
        }
        if (const auto* body = operation.if_contains("requestBody")) expect_examples(*body, "body");
        for (const auto& each : operation.at("responses").as_object())
          expect_examples(*the_judge().schemas().resolve(each.value()), std::string(each.key()));
      });
}

// A text without a word shows nothing.
TEST(OpenApi, shows_examples_that_say_something) {
  const auto telling = [](const json::value& data, const char* name) {
    return !data.at(name).as_string().empty();
  };
  const auto example = [](const char* path, const char* status) -> const json::value& {
    return the_judge()
        .document()
        .at("paths")
        .at(path)
        .at("post")
        .at("responses")
        .at(status)
        .at("content")
        .at("application/json")
        .at("example")
        .at("data");
  };
  const json::value& setup = example("/api/v1/auth/2fa/enable", "200");
  for (const char* name : {"secret", "otpauth_uri", "qr_code_png"})
    EXPECT_TRUE(telling(setup, name)) << name;
  EXPECT_TRUE(telling(example("/api/v1/auth/api-keys", "201"), "id"));
  EXPECT_TRUE(telling(example("/api/v1/license/validate", "200"), "message"));
}

TEST(EveryEndpoint, has_examples_that_its_schemas_take) {
  each_object(the_judge().document(), [&](const json::object& object) {
    const auto* example = object.if_contains("example");
    if (!example) return;
    const auto* schema = object.if_contains("schema");  // of a parameter, a header or a content
    for (const auto& problem :
         the_judge().schemas().problems(*example, schema ? *schema : json::value(object))) {
      ADD_FAILURE() << json::serialize(*example) << ": " << problem;
    }
  });
}

TEST(OpenApi, requires_only_fields_that_it_describes) {
  each_object(the_judge().document(), [&](const json::object& object) {
    const auto* required = object.if_contains("required");
    const auto* properties = object.if_contains("properties");
    if (!required || !required->is_array() || !properties) return;
    for (const auto& name : required->as_array()) {
      EXPECT_TRUE(properties->as_object().contains(name.as_string())) << json::serialize(name);
    }
  });
}

}  // namespace
}  // namespace mp::test
