#include "xds/rows.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace mp::xds {
namespace {

struct Thing {
  int id = 0;
  int content = 0;
};
using Things = Rows<Thing, &Thing::id>;
using Plain = std::map<int, Things::Row>;

Things::Row thing(int id, int content = 0) {
  return std::make_shared<const Thing>(Thing{id, content});
}

void expect_same(const Things& rows, const Plain& plain) {
  ASSERT_EQ(rows.size(), plain.size());
  ASSERT_EQ(rows.empty(), plain.empty());
  auto row = rows.begin();
  for (const auto& [id, each] : plain) {
    ASSERT_EQ(*row++, each);
    ASSERT_EQ(rows.find(id), each);
    ASSERT_EQ(rows.find(id + 100'000), nullptr);
  }
  ASSERT_TRUE(row == rows.end());
}

// What differs, told by a walk over everything.
std::map<int, std::pair<Things::Row, Things::Row>> walked(const Plain& from, const Plain& to) {
  std::map<int, std::pair<Things::Row, Things::Row>> all;
  for (const auto& [id, each] : from) all[id].first = each;
  for (const auto& [id, each] : to) all[id].second = each;
  std::erase_if(all, [](const auto& each) { return each.second.first == each.second.second; });
  return all;
}

TEST(Rows, AreWhatAPlainMapIs) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Things rows, before;
    Plain plain, plain_before;
    const int span = seed % 2 ? 60 : 3000;
    for (int step = 0; step < 60; ++step) {
      Things::Changes changes;
      const auto number = 1 + random() % (step % 10 == 0 ? 900 : 4);
      for (unsigned n = 0; n < number; ++n) {
        const int id = static_cast<int>(random() % static_cast<unsigned>(span));
        changes[id] = random() % 5 < 2 + seed % 3 ? nullptr : thing(id, step);
      }
      for (const auto& [id, each] : changes) {
        if (each)
          plain[id] = each;
        else
          plain.erase(id);
      }
      rows.take(changes);
      ASSERT_NO_FATAL_FAILURE(expect_same(rows, plain)) << "seed " << seed << " step " << step;
      auto expected = walked(plain_before, plain);
      const auto found = Things::difference(before, rows);
      ASSERT_EQ(found.size(), expected.size()) << "seed " << seed << " step " << step;
      for (const auto& change : found)
        ASSERT_EQ(std::pair(change.before, change.after), expected[change.key()]);
      if (random() % 3 == 0) before = rows, plain_before = plain;
    }
  }
}

TEST(Rows, AListMayComeInAnyOrderAndItsLastRowCounts) {
  const Things rows(std::vector{thing(2), thing(1), thing(2, 7)});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]->id, 1);
  EXPECT_EQ(rows[1]->content, 7);
}

TEST(Rows, ACopyStaysAsItWas) {
  Things rows(std::vector{thing(1), thing(2)});
  const Things copy = rows;
  EXPECT_TRUE(copy.is(rows));
  rows.erase(1);
  rows.put(thing(3));
  EXPECT_FALSE(copy.is(rows));
  ASSERT_EQ(copy.size(), 2U);
  EXPECT_TRUE(copy.find(1));
  EXPECT_FALSE(copy.find(3));
  rows.clear();
  EXPECT_TRUE(rows.empty());
  EXPECT_TRUE(rows.is(Things()));
}

}  // namespace
}  // namespace mp::xds
