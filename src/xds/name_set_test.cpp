#include "xds/name_set.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

TEST(NameSet, HoldsWhatWasPutInAndNotTakenOut) {
  NameSet set{{"a", "b", "b", "c"}};
  EXPECT_EQ(set.size(), 3U);
  set.insert(NameSet{{"c", "d"}});
  EXPECT_EQ(set, NameSet({"d", "c", "b", "a"}));
  EXPECT_TRUE(set.erase("a"));
  EXPECT_FALSE(set.erase("a"));
  set.erase(NameSet{{"b", "never there"}});
  EXPECT_EQ(set, NameSet({"c", "d"}));
  EXPECT_FALSE(set.contains("b"));
  set.erase(NameSet{{"c", "d"}});
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set, NameSet());
}

TEST(NameSet, SumsAreEqualForEqualSetsHoweverTheyCameAbout) {
  NameSum sum;
  for (const std::string_view name : {"b", "a", "c"}) sum.add(name);
  sum.remove("c");
  NameSet set{{"x", "a"}};
  set.insert(NameSet{{"b"}});
  set.erase("x");
  EXPECT_EQ(set.sum(), sum);
}

TEST(NameSet, EqualOnesOfAPoolLieInOnePlaceUntilOneChanges) {
  NameSets pool;
  NameSet first{{"a", "b"}}, second{{"b", "a"}}, other{{"a", "c"}};
  for (NameSet* set : {&first, &second, &other}) set->share(pool);
  EXPECT_TRUE(first.is(second));
  EXPECT_FALSE(first.is(other));
  second.erase("a");
  EXPECT_TRUE(first.contains("a"));
  EXPECT_FALSE(second.contains("a"));
}

}  // namespace
}  // namespace mp::xds
