#include "xds/conversation.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

// Thousands connect at once: what each is sent first is looked for and kept once.
TEST(Newcomers, AreSentOneList) {
  const auto differences = std::make_shared<Differences>();
  const auto content = snapshot(
      1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}, {Type::Endpoint, {{"a", "1"}, {"b", "2"}}}});
  std::map<Type, const void*> lists;
  for (const std::vector<std::string>& names : {std::vector<std::string>{"a", "b"}, {"b", "a"}}) {
    Conversation talk{Flavour::Delta, differences};
    talk.give(content);
    EXPECT_EQ(talk.ask(Type::Cluster), "cluster a=1 b=1");
    EXPECT_EQ(talk.ask(Type::Endpoint, names), "endpoint a=1 b=2");
    for (const Response& response : talk.unanswered) {
      const void* const list = &response.resources.items();
      EXPECT_EQ(lists.try_emplace(response.type, list).first->second, list);
    }
    talk.accept_all();
    EXPECT_EQ(talk.stream.held().at(1).resources, 2U);
    // Who refuses does not take from the others.
    Conversation other{Flavour::Delta, differences};
    other.give(content);
    other.ask(Type::Cluster);
    other.refuse("Error adding/updating cluster(s) a: no");
    EXPECT_EQ(other.give(snapshot(2, {{Type::Cluster, {{"a", "2"}, {"b", "1"}}}})), "cluster a=2");
  }
  Conversation some{Flavour::Delta, differences};
  some.give(content);
  EXPECT_EQ(some.ask(Type::Endpoint, {"a", "c"}), "endpoint a=1; endpoint -c");
}

}  // namespace
}  // namespace mp::xds
