// What must not start, and how the files of the data directory lie there.
#include "store/test_database.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace mp::test {
namespace {

namespace fs = std::filesystem;

class Start : public StoreTest {
 protected:
  Error refusal() {
    store.reset();
    return error_of([&] { open(); });
  }
  std::string key_file() const { return database.data_dir() + "/store.key"; }
};
INSTANTIATE_TEST_SUITE_P(Both, Start, testing::Values("sqlite", "postgresql"), kind_name);

std::string all_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

mode_t mode_of(const std::string& path) {
  struct stat facts{};
  EXPECT_EQ(stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 0777;
}

TEST_P(Start, SecretsAreSealedInTheDatabase) {
  add(cluster("main"));
  Service made = service("billing", 1);
  made.secret = Secret("the plain secret of billing");
  made = add(made);
  std::string kept;
  store->read([&](Reader& db) {
    kept = std::get<std::string>(db.query("SELECT secret FROM services", {}, {Column::Text})[0][0]);
  });
  EXPECT_EQ(kept.find("plain"), std::string::npos);
  EXPECT_EQ(store->unseal(kept), "the plain secret of billing");
  EXPECT_NE(store->seal("the same"), store->seal("the same"));
  EXPECT_EQ(store->unseal(store->seal(std::string("a\0b", 3))), std::string("a\0b", 3));
  EXPECT_EQ(error_of([&] { store->unseal("plain text"); }).code, Code::Internal);
  std::string damaged = kept;
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(error_of([&] { store->unseal(damaged); }).code, Code::Internal);
  reopen();
  EXPECT_EQ(find<Service>(made.id)->secret->reveal(), "the plain secret of billing");
  if (database.is_postgresql()) return;
  for (const auto& file : fs::directory_iterator(database.data_dir())) {
    EXPECT_EQ(all_of(file.path()).find("the plain secret"), std::string::npos) << file.path();
  }
}

TEST_P(Start, FilesArePrivate) {
  add(cluster("main"));
  EXPECT_EQ(mode_of(key_file()), 0600U);
  EXPECT_EQ(fs::file_size(key_file()), 32U);
  for (const auto& file : fs::directory_iterator(database.data_dir())) {
    EXPECT_EQ(mode_of(file.path()), 0600U) << file.path();
  }
  store.reset();
  StoreOptions options = database.options();
  options.data_dir = database.data_dir() + "/made/by us";
  fs::create_directories(database.data_dir() + "/made");
  if (database.is_postgresql()) {
    fs::create_directory(options.data_dir);
    fs::copy_file(key_file(), options.data_dir + "/store.key");
  }
  store = std::make_unique<Store>(options, clock);
  if (database.is_postgresql()) return;
  EXPECT_EQ(mode_of(options.data_dir), 0700U);
}

TEST_P(Start, AMissingKeyRefusesAndIsNotReplaced) {
  store.reset();
  fs::remove(key_file());
  EXPECT_EQ(refusal().message,
            key_file() +
                ": is missing, but the database holds secrets sealed with it; copy it from "
                "a backup or from another manager of this database");
  EXPECT_FALSE(fs::exists(key_file()));
}

TEST_P(Start, AnotherKeyRefuses) {
  store.reset();
  std::ofstream(key_file(), std::ios::binary) << std::string(32, 'k');
  EXPECT_EQ(refusal().message,
            key_file() +
                ": is not the key that the database's secrets are sealed with; copy that "
                "one from a backup or from another manager of this database");
  std::ofstream(key_file(), std::ios::binary) << "short";
  EXPECT_EQ(refusal().message, key_file() + ": is not a key file");
}

TEST_P(Start, TwoManagersShareOnlyPostgresql) {
  const auto second = [&] { Store(database.options(), clock).revision(); };
  if (database.is_postgresql()) return second();
  EXPECT_EQ(error_of(second).message,
            database.file() + ".lock: another manager is running on this data directory");
  EXPECT_TRUE(store->healthy());
}

TEST_P(Start, ADatabaseThatDoesNotAnswerIsOneClearLine) {
  store.reset();
  StoreOptions options = database.options();
  options.url = database.is_postgresql() ? "postgresql://someone:hidden@127.0.0.1:1/x"
                                         : "sqlite:" + database.data_dir();
  const Error error = error_of([&] { Store(options, clock).revision(); });
  EXPECT_EQ(error.code, Code::Unavailable);
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_EQ(error.message.find("hidden"), std::string::npos);
  EXPECT_GT(error.message.size(), 40U) << error.message;
}

TEST_P(Start, ADirectoryThatCannotBeNamesTheSetting) {
  store.reset();
  const std::string file = key_file();
  StoreOptions options = database.options();
  const auto wrong = [&] { return error_of([&] { Store(options, clock).revision(); }); };
  for (const std::string& path : {file, file + "/below"}) {
    options.data_dir = path;
    const Error error = wrong();
    EXPECT_EQ(error.code, Code::Validation) << path;
    ASSERT_EQ(error.violations.size(), 1U) << path;
    EXPECT_EQ(error.violations[0].field, "data_dir");
    EXPECT_NE(error.violations[0].issue.find(path), std::string::npos) << error.violations[0].issue;
  }
  options = database.options();
  options.url = "sqlite:" + database.data_dir() + "/none/marchproxy.db";
  const Error error = wrong();
  EXPECT_EQ(error.code, Code::Validation);
  EXPECT_EQ(error.violations.at(0).field, "database.url");
}

TEST_P(Start, AWrongUrlNamesTheSetting) {
  StoreOptions options = database.options();
  for (const char* url : {"mysql://x", "", "postgresql://u:hidden@[bad/x"}) {
    options.url = url;
    const Error error = error_of([&] { Store(options, clock).revision(); });
    EXPECT_EQ(error.code, Code::Validation) << url;
    EXPECT_EQ(error.violations.at(0).field, "database.url");
    EXPECT_EQ(error.violations.at(0).issue.find("hidden"), std::string::npos);
  }
}

}  // namespace
}  // namespace mp::test
