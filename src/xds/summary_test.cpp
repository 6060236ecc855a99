#include "xds/summary.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

Finding finding(std::int64_t id) {
  return {{.type = "mapping", .id = id, .name = "m"}, Condition::Warning, "why"};
}

Snapshot snapshot(Findings findings, std::initializer_list<std::int64_t> certificates) {
  Snapshot made;
  made.findings = std::make_shared<const Findings>(std::move(findings));
  for (const std::int64_t id : certificates) {
    auto secret = std::make_shared<Resource>();
    secret->name = "certificate/" + std::to_string(id);
    secret->origins = {{.type = "certificate", .id = id, .name = "web"}};
    made.types[static_cast<std::size_t>(Type::Secret)].put(std::move(secret));
  }
  return made;
}

const GroupKey egress{.cluster_id = 1};
const GroupKey ingress{.cluster_id = 1, .type = ProxyType::Ingress};

TEST(Summary, SaysWhatAllGroupsSayOnce) {
  Summary summary;
  EXPECT_TRUE(summary.findings()->empty());
  summary.take(egress, snapshot({finding(1), finding(3)}, {7}));
  summary.take(ingress, snapshot({finding(2), finding(3)}, {7, 8}));
  EXPECT_EQ(*summary.findings(), (Findings{finding(1), finding(2), finding(3)}));
  EXPECT_EQ(*summary.certificates(), (Summary::Certificates{7, 8}));
  summary.drop(ingress);
  EXPECT_EQ(*summary.findings(), (Findings{finding(1), finding(3)}));
  EXPECT_EQ(*summary.certificates(), Summary::Certificates{7});
}

TEST(Summary, IsTheSameObjectAsLongAsNothingChanges) {
  Summary summary;
  const Snapshot one = snapshot({finding(1)}, {7}), other = snapshot({finding(2)}, {7});
  summary.take(egress, one);
  summary.take(ingress, other);
  const auto findings = summary.findings();
  const auto certificates = summary.certificates();
  summary.take(egress, one);
  EXPECT_EQ(summary.findings(), findings);
  EXPECT_EQ(summary.certificates(), certificates);
  summary.take(egress, other);
  EXPECT_NE(summary.findings(), findings);
  EXPECT_EQ(*summary.findings(), Findings{finding(2)});
}

}  // namespace
}  // namespace mp::xds
