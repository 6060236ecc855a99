// What the switches of a cluster change in what its proxies are given, and what they leave alone.
#include "xds/config_fixture.hpp"

#include <gmock/gmock.h>

namespace mp::xds {
namespace {

using testing::HasSubstr;
using testing::Not;

struct AccessLogTest : testing::Test {
  AccessLogTest() {
    intent.service({{"name", "api"}});
    intent.service({{"name", "caller"}, {"auth_type", "api_key"}, {"secret", "s"}});
    intent.mapping(
        {{"source_services", {"caller"}}, {"dest_services", {"api"}}, {"auth_required", true}});
    intent.mapping({{"dest_services", {"api"}}, {"ports", {81}}});
    intent.mapping({{"dest_services", {"api"}}, {"protocols", {"tcp"}}, {"ports", {82}}});
  }

  SnapshotPtr build(const Logging& logging) {
    intent.log(logging);
    return builder.build(intent.config(), test_now);
  }
  static std::vector<std::string> versions(const Snapshot& snapshot, Type type) {
    std::vector<std::string> all;
    for (const ResourcePtr& resource : snapshot.of(type))
      all.push_back(resource->name + " " + resource->version);
    return all;
  }
  static std::string body(const Snapshot& snapshot, const std::string& listener) {
    return find_resource(snapshot.of(Type::Listener), listener)->body;
  }

  Intent intent;
  Builder builder{{}};
};

TEST_F(AccessLogTest, OffIsAsIfItHadNeverBeenOn) {
  const SnapshotPtr before = build({});
  const SnapshotPtr on = build({true, true, true});
  const SnapshotPtr after = build({});
  for (std::size_t at = 0; at < type_count; ++at) {
    const auto type = static_cast<Type>(at);
    EXPECT_EQ(versions(*after, type), versions(*before, type));
  }
  EXPECT_NE(versions(*on, Type::Listener), versions(*before, Type::Listener));
  EXPECT_THAT(body(*before, "tcp/80"), Not(HasSubstr("marchproxy_xds")));
}

TEST_F(AccessLogTest, NothingButListenersAndGuardedRoutesChanges) {
  const SnapshotPtr off = build({});
  const SnapshotPtr netflow = build({.netflow = true});
  const SnapshotPtr auth = build({.auth = true});
  for (const Type type : {Type::Cluster, Type::Endpoint, Type::Secret, Type::ScopedRoute})
    EXPECT_EQ(versions(*netflow, type), versions(*off, type));
  EXPECT_EQ(versions(*auth, Type::Cluster), versions(*off, Type::Cluster));
  EXPECT_NE(versions(*auth, Type::ScopedRoute), versions(*off, Type::ScopedRoute));
  const auto scope = [](const Snapshot& snapshot) {
    return find_resource(snapshot.of(Type::ScopedRoute), "81/api")->version;
  };
  EXPECT_EQ(scope(*auth), scope(*off)) << "nothing is decided there";
}

TEST_F(AccessLogTest, ConnectionsThatAnybodyMayMakeAreLeftAloneByAuth) {
  const std::string off = body(*build({}), "tcp/82");
  EXPECT_EQ(body(*build({.auth = true}), "tcp/82"), off);
  EXPECT_THAT(body(*build({.netflow = true}), "tcp/82"), HasSubstr("mapping/3"));
}

TEST_F(AccessLogTest, LoggersNameTheControlPlaneAndNoKey) {
  const std::string listener = body(*build({.debug = true}), "tcp/80");
  EXPECT_THAT(listener, HasSubstr("marchproxy_xds"));
  EXPECT_THAT(listener, Not(HasSubstr("api-key")));
}

}  // namespace
}  // namespace mp::xds
